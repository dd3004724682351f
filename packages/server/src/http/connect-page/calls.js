/** What the page asks of the service, with the connect token in the Authorization header. */

/** @import { PageView, Started, Values } from './page-types.ts' */

const base = new URL('../v1/connect-sessions/current', location.href.split('#', 1)[0]).href
/** The page's own session, from its address; the token must be this session's. */
export const connectSessionId = decodeURIComponent(location.pathname.split('/').at(-1) ?? '')
const tokenKey = `connect ${connectSessionId}`
const startedKey = `connect started ${connectSessionId}`
const waitingKey = `connect waiting ${connectSessionId}`
/** @type {Map<string, string>} */
const memory = new Map()

/** A call that was refused, or did not arrive (`network`). */
export class CallError extends Error {
  /**
   * @param {string} code
   * @param {string | null} reference
   */
  constructor(code, reference = null) {
    super(code)
    this.code = code
    this.reference = reference
  }
}

/**
 * Takes the token from the address once; a reload in the middle finds it in this tab's storage.
 *
 * @param {string} token
 */
export function keepToken(token) {
  keep(tokenKey, token)
}

export const hasToken = () => recall(tokenKey) !== undefined

/** @returns {string[]} */
const started = () => JSON.parse(recall(startedKey) ?? '[]')

/**
 * The attempts that this tab started: only their outcomes are told.
 *
 * @param {string} sessionId
 */
export const isOurs = (sessionId) => started().includes(sessionId)

/** The attempt that goes on in another window. */
export const waitingFor = () => recall(waitingKey)

/** @param {string | undefined} sessionId */
export const waitFor = (sessionId) => keep(waitingKey, sessionId)

/** @returns {Promise<PageView>} */
export const readPage = () => call('GET', '')

/** @returns {Promise<void>} */
export const cancelPage = () => call('POST', '/cancel')

/**
 * @param {string} providerSlug
 * @param {Values | undefined} urlVariables
 * @returns {Promise<Started>}
 */
export async function startAttempt(providerSlug, urlVariables) {
  const body = { provider_slug: providerSlug, url_variables: urlVariables }
  /** @type {Started} */
  const attempt = await call('POST', '/start', body)
  keep(startedKey, JSON.stringify([...started(), attempt.session_id]))
  return attempt
}

/**
 * What is answered is what the service's route says; the caller's types come from there.
 *
 * @template T
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<T>}
 */
async function call(method, path, body) {
  const reply = await fetch(base + path, {
    method,
    headers: { authorization: `Bearer ${recall(tokenKey)}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
    cache: 'no-store',
    keepalive: method === 'POST' && body === undefined,
    signal: AbortSignal.timeout(30_000),
  }).catch(() => {
    throw new CallError('network')
  })
  /** @type {{ data: T, code?: string } | undefined} */
  const answer = await reply.json().catch(() => undefined)
  if (reply.ok && answer !== undefined) return answer.data
  // An empty answer is one that nobody reads.
  if (reply.status === 204) return /** @type {T} */ (undefined)
  throw new CallError(
    answer?.code ?? (reply.status === 422 ? 'invalid_request' : 'internal_error'),
    reply.headers.get('x-request-id'),
  )
}

/**
 * Storage may be switched off; then a reload starts anew.
 *
 * @param {string} key
 * @param {string | undefined} value
 */
function keep(key, value) {
  if (value === undefined) memory.delete(key)
  else memory.set(key, value)
  try {
    if (value === undefined) sessionStorage.removeItem(key)
    else sessionStorage.setItem(key, value)
  } catch {
    // Memory must do.
  }
}

/** @param {string} key */
function recall(key) {
  try {
    return sessionStorage.getItem(key) ?? memory.get(key)
  } catch {
    return memory.get(key)
  }
}
