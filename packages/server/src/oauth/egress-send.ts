import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import type { Dispatcher } from 'undici'
import { EgressError } from './egress-error.ts'
import type { EgressReply, EgressRequest } from './egress.ts'

const defaultDeadlineMs = 10_000
const defaultMaxBytes = 65_536

// Framing and routing belong to this file. A definition that could set them could reach another virtual host behind
// the checked address, or smuggle a second request.
const ownHeaders = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * Sends one request over a dispatcher that guards its connections, and reads the reply within deadline and size limit.
 *
 * Undici's handler interface is used directly, since only `onRequestStart` tells whether a failed request can
 * have reached the provider, and so whether a rotating refresh token may be spent.
 */
export function send(dispatcher: Dispatcher, url: URL, request: EgressRequest): Promise<EgressReply> {
  const maxBytes = request.maxBytes ?? defaultMaxBytes
  const deadlineMs = request.deadlineMs ?? defaultDeadlineMs
  const { promise, resolve, reject } = Promise.withResolvers<EgressReply>()
  let controller: Dispatcher.DispatchController | undefined
  let failure: EgressError | undefined
  let status = 0
  let headers: Record<string, string> = {}
  let sizeBytes = 0
  const chunks: Buffer[] = []

  function fail(kind: EgressError['kind'], message: string): void {
    if (failure !== undefined) return
    failure = new EgressError(kind, message, controller !== undefined)
    clearTimeout(timer)
    reject(failure)
    controller?.abort(failure)
  }
  const timer = setTimeout(() => fail('timeout', `${url.host} took longer than ${deadlineMs} ms`), deadlineMs)

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      // The caller was already told that nothing was sent; keep that true.
      if (failure !== undefined) started.abort(failure)
      else controller = started
    },
    onResponseStart(_controller, statusCode, given) {
      status = statusCode
      headers = flatHeaders(given)
      if (Number(headers['content-length'] ?? 0) > maxBytes && request.method !== 'HEAD') tooLarge()
    },
    onResponseData(_controller, chunk) {
      sizeBytes += chunk.length
      if (sizeBytes > maxBytes) tooLarge()
      else chunks.push(chunk)
    },
    onResponseEnd() {
      if (failure !== undefined) return
      decoded(Buffer.concat(chunks), headers['content-encoding'], maxBytes).then(
        (body) => {
          clearTimeout(timer)
          resolve({ status, headers, body })
        },
        () => fail('too_large', `the reply of ${url.host} cannot be decompressed within ${maxBytes} bytes`),
      )
    },
    onResponseError(_controller, error) {
      if (error instanceof EgressError) fail(error.kind, error.message)
      else if (errorCode(error) === 'UND_ERR_HEADERS_OVERFLOW')
        fail('too_large', `the reply head of ${url.host} is too large`)
      else fail('network', `${url.host} could not be reached or broke off${errorSuffix(error)}`)
    },
  }
  function tooLarge(): void {
    fail('too_large', `the reply of ${url.host} is larger than ${maxBytes} bytes`)
  }

  try {
    dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method,
        headers: requestHeaders(request.headers ?? {}),
        body: request.body ?? null,
        // The deadline above is exact and covers everything; undici's own timers are coarse.
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      handler,
    )
  } catch {
    // Undici refuses malformed headers; its error may quote them.
    fail('refused', `the request to ${url.host} is malformed`)
  }
  return promise
}

function requestHeaders(given: Readonly<Record<string, string>>): Record<string, string> {
  const headers: Record<string, string> = { accept: '*/*', 'user-agent': 'connector-oauth' }
  for (const [name, value] of Object.entries(given)) {
    const lower = name.toLowerCase()
    if (!ownHeaders.has(lower) && !lower.startsWith('proxy-')) headers[lower] = value
  }
  headers['accept-encoding'] = 'identity'
  return headers
}

function flatHeaders(given: NodeJS.Dict<string | string[]>): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) headers[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value
  }
  return headers
}

/** Some servers compress although told not to; the limit then holds for what comes out. */
async function decoded(body: Buffer, encoding: string | undefined, maxBytes: number): Promise<Buffer> {
  const options = { maxOutputLength: maxBytes }
  switch (encoding?.trim().toLowerCase() ?? '') {
    case '':
    case 'identity':
      return body
    case 'gzip':
    case 'x-gzip':
      return body.length === 0 ? body : promisify(gunzip)(body, options)
    case 'deflate':
      return body.length === 0 ? body : promisify(inflate)(body, options)
    case 'br':
      return body.length === 0 ? body : brotli(body, maxBytes)
    default:
      throw new Error('unknown content encoding')
  }
}

function brotli(body: Buffer, maxOutputLength: number): Promise<Buffer> {
  return promisify(brotliDecompress)(body, { maxOutputLength })
}

function errorCode(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function errorSuffix(error: Error): string {
  const code = errorCode(error)
  return code !== undefined && /^[A-Z0-9_]{1,40}$/.test(code) ? ` (${code})` : ''
}
