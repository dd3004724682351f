/** What the page asks of the service, with the connect token in the Authorization header. */

const base = new URL('../v1/connect-sessions/current', location.href.split('#', 1)[0])
/** The page's own session, from its address; the token must be this session's. */
export const connectSessionId = decodeURIComponent(location.pathname.split('/').at(-1))
const tokenKey = `connect ${connectSessionId}`
const startedKey = `connect started ${connectSessionId}`
const waitingKey = `connect waiting ${connectSessionId}`
const memory = new Map()

/** A call that was refused, or did not arrive (`network`). */
export class CallError extends Error {
  constructor(code, reference) {
    super(code)
    this.code = code
    this.reference = reference
  }
}

/** Takes the token from the address once; a reload in the middle finds it in this tab's storage. */
export function keepToken(token) {
  keep(tokenKey, token)
}

export const hasToken = () => recall(tokenKey) !== null

/** The attempts that this tab started: only their outcomes are told. */
export const isOurs = (sessionId) => JSON.parse(recall(startedKey) ?? '[]').includes(sessionId)

/** The attempt that goes on in another window. */
export const waitingFor = () => recall(waitingKey)
export const waitFor = (sessionId) => keep(waitingKey, sessionId)

export const readPage = () => call('GET', '')
export const cancelPage = () => call('POST', '/cancel')

export async function startAttempt(providerSlug, urlVariables) {
  const attempt = await call('POST', '/start', { provider_slug: providerSlug, url_variables: urlVariables })
  keep(startedKey, JSON.stringify([...JSON.parse(recall(startedKey) ?? '[]'), attempt.session_id]))
  return attempt
}

async function call(method, path, body) {
  let reply
  try {
    reply = await fetch(base + path, {
      method,
      headers: { authorization: `Bearer ${recall(tokenKey)}`, ...(body && { 'content-type': 'application/json' }) },
      body: body && JSON.stringify(body),
      cache: 'no-store',
      keepalive: method === 'POST' && body === undefined,
      signal: AbortSignal.timeout(30_000),
    })
  } catch {
    throw new CallError('network')
  }
  if (reply.status === 204) return undefined
  const answer = await reply.json().catch(() => undefined)
  if (reply.ok && answer !== undefined) return answer.data
  throw new CallError(
    answer?.code ?? (reply.status === 422 ? 'invalid_request' : 'internal_error'),
    reply.headers.get('x-request-id'),
  )
}

/** Storage may be switched off; then a reload starts anew. */
function keep(key, value) {
  memory.set(key, value)
  try {
    if (value === null) sessionStorage.removeItem(key)
    else sessionStorage.setItem(key, value)
  } catch {
    // Memory must do.
  }
}

function recall(key) {
  try {
    return sessionStorage.getItem(key) ?? memory.get(key) ?? null
  } catch {
    return memory.get(key) ?? null
  }
}
