import { begin, type ConnectRequest } from './begin.ts'

export interface LinkRequest extends ConnectRequest {
  /** Where the link ends: a landing page on which the user is signed in, or can sign in. */
  readonly landingPage: string
  /** At most seven days; absent: as long as the service says. */
  readonly expiresInSeconds?: number | undefined
}

/** A link to send. */
export interface ConnectLink {
  /** Opens the Connect page, which asks before it begins: a scanner that follows links uses nothing up. */
  readonly url: string
  readonly connectSessionId: string
  readonly expiresAt: Date
}

/**
 * Makes a link for the user to open later or on another device. Only the user who made it can finish with it, on the
 * landing page, where `finishConnect` is called with that user's token. Rejects with `ConnectError`.
 */
export async function createConnectLink(request: LinkRequest): Promise<ConnectLink> {
  const { url, id, expiresAt } = await begin(request, 'link', request.expiresInSeconds)
  return { url, connectSessionId: id, expiresAt: new Date(expiresAt) }
}
