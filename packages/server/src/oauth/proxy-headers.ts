import type { Secret } from '../core/secret.ts'
import type { ApiCredentials } from './api-call.ts'

/**
 * Header policies of the proxy, both ways. They name what is dropped: providers have headers of their own by the hundred, for
 * versions, paging, limits and idempotency, and a list of what may pass would break them one by one.
 */

/** RFC 9110 §7.6.1, and what travels with them. */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]

const requestDropped = new Set([
  ...hopByHop,
  // Ours, or our origin's.
  'authorization',
  'cookie',
  'cookie2',
  'origin',
  'referer',
  'access-control-request-headers',
  'access-control-request-method',
  'access-control-request-private-network',
  // Routing and framing belong to the client that sends.
  'host',
  'content-length',
  'expect',
  'max-forwards',
  // Who called from where is no business of the provider.
  'forwarded',
  'via',
  'true-client-ip',
  'client-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-real-ip',
  'x-original-forwarded-for',
  'x-envoy-external-address',
  'x-appengine-user-ip',
  'fastly-client-ip',
  'cdn-loop',
  'traceparent',
  'tracestate',
  'baggage',
  // Would turn the path or method that was judged into another.
  'x-original-url',
  'x-original-host',
  'x-rewrite-url',
  'x-host',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
])
const requestDroppedPrefixes = ['proxy-', 'x-forwarded-', 'sec-', 'cf-']

const replyDropped = new Set([
  ...hopByHop,
  'set-cookie',
  'set-cookie2',
  // They would speak for our origin.
  'alt-svc',
  'clear-site-data',
  'content-security-policy',
  'content-security-policy-report-only',
  'cross-origin-embedder-policy',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'document-policy',
  'expect-ct',
  'feature-policy',
  'forwarded',
  'nel',
  'origin-agent-cluster',
  'p3p',
  'permissions-policy',
  'public-key-pins',
  'public-key-pins-report-only',
  'referrer-policy',
  'refresh',
  'report-to',
  'reporting-endpoints',
  'service-worker-allowed',
  'sourcemap',
  'speculation-rules',
  'strict-transport-security',
  'supports-loading-mode',
  'timing-allow-origin',
  'via',
  'x-content-type-options',
  'x-dns-prefetch-control',
  'x-frame-options',
  'x-sourcemap',
  'x-xss-protection',
  // What is read with a token is for its reader alone: our own `no-store` stands.
  'age',
  'cache-control',
  'expires',
  'pragma',
  'surrogate-control',
  'cdn-cache-control',
  // Ours: they tell our failures from the provider's.
  'x-connector-error',
  'x-request-id',
])
const replyDroppedPrefixes = ['proxy-', 'x-forwarded-', 'access-control-', 'x-accel-']

/** Content that a browser would run or draw on our origin. */
const activeTypes =
  /^(?:text\/html|application\/xhtml\+xml|image\/svg\+xml|multipart\/x-mixed-replace|text\/(?:css|vbscript|livescript|jscript|x-component)|application\/(?:hta|x-shockwave-flash)|(?:text|application)\/(?:x-)?(?:java|ecma)script\d*(?:\.\d)?)\b/i

/** A coding or a part of a body hides an echoed token from the mask. */
const replyShaping = new Set(['accept-encoding', 'a-im', 'range', 'if-range'])

/**
 * The headers that go to the provider: the caller's without those that are dropped and those that its `Connection` names, and the
 * provider's own over them. A caller who may not read the token does not choose in what form the reply comes.
 */
export function providerRequestHeaders(
  given: NodeJS.Dict<string | readonly string[]>,
  credentials: ApiCredentials,
  mayReadToken: boolean,
): Record<string, string> {
  const named = namedByConnection(textOf(given['connection']))
  const headers: Record<string, string> = { 'user-agent': 'connector-oauth', 'accept-encoding': 'identity' }
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || isDropped(name, requestDropped, requestDroppedPrefixes) || named.has(name)) continue
    if (!mayReadToken && replyShaping.has(plainName(name))) continue
    headers[name] = textOf(value) ?? ''
  }
  for (const [name, value] of Object.entries(credentials.headers)) headers[name] = value
  return headers
}

/** Whether a reply's body is in a coding, which the mask cannot look into. */
export function isCoded(given: readonly (readonly [name: string, value: string])[]): boolean {
  return given.some(([rawName, value]) => {
    const name = rawName.toLowerCase()
    if (name === 'content-encoding') return !/^(?:identity)?$/i.test(value.trim())
    return name === 'transfer-encoding' && !/^(?:chunked|identity)$/i.test(value.trim())
  })
}

/**
 * The headers that go back to the caller, as a flat list of names and values. A header that holds
 * the token is left out whole.
 */
export function callerReplyHeaders(
  given: readonly (readonly [name: string, value: string])[],
  accessToken: Secret,
): string[] {
  const token = accessToken.reveal()
  const secrets = [token, encodeURIComponent(token)]
  const connection = given.filter(([name]) => name.toLowerCase() === 'connection').map(([, value]) => value)
  const named = namedByConnection(connection.join(','))
  const headers: string[] = []
  const types = new Set<string>()
  let disposition = 'attachment'
  for (const [rawName, value] of given) {
    const name = rawName.toLowerCase()
    if (isDropped(name, replyDropped, replyDroppedPrefixes) || named.has(name)) continue
    if (secrets.some((secret) => value.includes(secret))) continue
    if (name === 'content-disposition') disposition = asAttachment(value)
    else if (name === 'content-type') types.add(value.trim())
    else if (name !== 'www-authenticate' || /^\s*(?:bearer|dpop)\b/i.test(value)) headers.push(name, value)
  }
  headers.push(...contentType([...types].join(', ')), 'content-disposition', disposition)
  return headers
}

/** One header, whatever came. Readers differ on which of several types counts, so several are none. */
function contentType(value: string): string[] {
  if (value === '') return []
  if (!value.includes(',') && !activeTypes.test(value)) return ['content-type', value]
  return ['content-type', 'application/octet-stream', 'x-provider-content-type', value]
}

/** Some servers turn `_` in a name into `-` before they look. */
function isDropped(name: string, dropped: ReadonlySet<string>, prefixes: readonly string[]): boolean {
  const plain = plainName(name)
  return dropped.has(plain) || prefixes.some((prefix) => plain.startsWith(prefix))
}

function plainName(name: string): string {
  return name.includes('_') ? name.replaceAll('_', '-') : name
}

function namedByConnection(value: string | undefined): ReadonlySet<string> {
  if (value === undefined || value === '' || value === 'keep-alive' || value === 'close') return noNames
  return new Set(
    value
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  )
}
const noNames: ReadonlySet<string> = new Set()

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value.join(', ') : value
}

/** Keeps the file's name, not how it is shown. */
function asAttachment(value: string): string {
  const parameters = value.indexOf(';')
  return parameters === -1 ? 'attachment' : `attachment${value.slice(parameters)}`
}
