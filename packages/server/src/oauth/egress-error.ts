/**
 * Why an outbound request brought no reply. The message names the host at most: never a path, a query or a header.
 *
 * - `refused`: our own rules; nothing was sent
 * - `timeout`: the deadline passed
 * - `network`: no connection, a broken one, or no HTTP
 * - `too_large`: head or body over the limit
 */
export class EgressError extends Error {
  readonly kind: 'refused' | 'timeout' | 'network' | 'too_large'
  /** The request may have reached the other side. */
  readonly sent: boolean

  constructor(kind: EgressError['kind'], message: string, sent: boolean) {
    super(message)
    this.name = 'EgressError'
    this.kind = kind
    this.sent = sent
  }
}

/**
 * Why a stream ended before its time; besides the kinds above:
 *
 * - `busy`: too much is under way already; nothing was sent
 * - `caller`: whoever wanted the reply went away, or the body to be sent broke off
 */
export class StreamError extends Error {
  readonly kind: EgressError['kind'] | 'busy' | 'caller'
  /** The request may have reached the other side. */
  readonly sent: boolean

  constructor(kind: StreamError['kind'], message: string, sent: boolean) {
    super(message)
    this.name = 'StreamError'
    this.kind = kind
    this.sent = sent
  }
}
