import { IncomingMessage } from 'node:http'

const MAX_BODY_BYTES = 56 * 1024
const TOO_LARGE = { status: 413, expose: true }

/**
 * Reads a request's body, whatever its type, as text.
 *
 * @throws {RangeError} beyond 56 KiB, which ends as a 413; it is the limit of `oidc-provider` itself.
 */
export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request) {
    // No encoding is set on it, so a request gives buffers.
    const bytes = chunk as Buffer
    sizeBytes += bytes.length
    // The two properties make Koa answer with them instead of reporting a failure of its own.
    if (sizeBytes > MAX_BODY_BYTES) throw Object.assign(new RangeError('the request body is too large'), TOO_LARGE)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Reads the fields of a form; repeated ones stay repeated. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  return new URLSearchParams(await readText(request))
}

/** The request again, as a form `POST` with these fields: what a rewritten request looks like to `oidc-provider`. */
export function asFormRequest(original: IncomingMessage, fields: URLSearchParams): IncomingMessage {
  const body = Buffer.from(fields.toString())
  const request = new IncomingMessage(original.socket)
  request.method = 'POST'
  request.url = original.url?.split('?')[0] ?? '/'
  request.headers = {
    ...original.headers,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(body.length),
  }
  delete request.headers['transfer-encoding']
  // Else the end of the body counts as an aborted connection, and the socket is destroyed.
  request.complete = true
  request.push(body)
  request.push(null)
  return request
}
