import type { Egress, EgressReply, EgressRequest } from './egress.ts'

const methods = ['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'HEAD'] as const
const bodilessStatus = new Set([101, 204, 205, 304])

/**
 * Turns the guarded request into the shape of `fetch`.
 *
 * Limits are those of `EgressRequest`; redirects come back as replies whatever `init.redirect` says. Rejects with
 * `EgressError`, or with the signal's reason when the caller gives up first.
 */
export function asFetch(request: (given: EgressRequest) => Promise<EgressReply>): Egress['fetch'] {
  return async (input, init) => {
    const asked = new Request(input, init)
    const method = methods.find((known) => known === asked.method)
    if (method === undefined) throw new TypeError('this method is not for outbound calls')
    asked.signal.throwIfAborted()
    const body = asked.body === null ? undefined : await asked.text()
    const reply = await abandonable(
      request({
        method,
        url: asked.url,
        headers: Object.fromEntries(asked.headers),
        ...(body === undefined ? {} : { body }),
      }),
      asked.signal,
    )
    const isBodiless = bodilessStatus.has(reply.status)
    const { 'content-encoding': _decoded, 'content-length': _length, ...headers } = reply.headers
    return new Response(isBodiless ? null : new Uint8Array(reply.body), { status: reply.status, headers })
  }
}

function abandonable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const giveUp = (): void => reject(signal.reason)
  signal.addEventListener('abort', giveUp, { once: true })
  work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  return promise
}
