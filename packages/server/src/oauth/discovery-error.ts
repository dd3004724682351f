/** Why an issuer cannot be used; the message is fit for an operator and quotes nothing of the reply. */
export class DiscoveryError extends Error {
  readonly reason: 'unreachable' | 'not_allowed' | 'issuer_mismatch' | 'invalid_metadata' | 'unsupported'

  constructor(reason: DiscoveryError['reason'], message: string) {
    super(message)
    this.name = 'DiscoveryError'
    this.reason = reason
  }
}
