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
