import { plusMs } from '../core/clock.ts'
import { handleDigest, randomHandle } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import { Secret } from '../core/secret.ts'
import { addTransaction } from '../store/transactions.ts'
import type { Context } from './context.ts'
import { prepareTransaction, type ConnectRequest } from './prepare-transaction.ts'
import type { Principal } from './principal.ts'
import { recordRefusedStart } from './refuse-session.ts'

/** A ticket opens the popup; it must be used soon after the click. */
const ticketLifeMs = 120_000
/** Marks a ticket as one, so that it can be told from a caller's own token before any look-up. */
export const ticketPrefix = 'ctk_'

export interface Session {
  readonly sessionId: string
  readonly ticket: Secret
  readonly authorizeUrl: string
  readonly expiresAt: Date
}

/** Mints a one-use ticket that is bound to every parameter of the request (RFC 9700 §4.3.2). */
export async function startSession(
  context: Pick<Context, 'database' | 'vault' | 'catalog' | 'clock' | 'settings'>,
  principal: Principal,
  request: ConnectRequest,
): Promise<Session> {
  const { row } = await prepareTransaction(context, principal, request).catch(async (error: unknown) => {
    if (error instanceof Problem) await recordRefusedStart(context, principal, request, error.publicCode)
    throw error
  })
  const ticket = new Secret(ticketPrefix + randomHandle())
  const expiresAt = plusMs(row.created_at, ticketLifeMs)
  await addTransaction(context.database.tenant(principal.tenantId), {
    ...row,
    beginning: { kind: 'created', ticketDigest: handleDigest(ticket.reveal()), ticketExpiresAt: expiresAt },
  })
  return {
    sessionId: row.transaction_id,
    ticket,
    authorizeUrl: authorizeUrl(context.settings.publicUrl, request, ticket),
    expiresAt,
  }
}

function authorizeUrl(publicUrl: string, request: ConnectRequest, ticket: Secret): string {
  const url = new URL(`${publicUrl}/v1/connectors/oauth/${request.providerSlug}/authorize`)
  url.searchParams.set('collection_id', request.collectionId)
  url.searchParams.set('space_id', request.spaceId)
  if (request.redirectUri !== undefined) url.searchParams.set('redirect_uri', request.redirectUri)
  if (request.connectorId !== undefined) url.searchParams.set('connector_id', request.connectorId)
  url.searchParams.set('token', ticket.reveal())
  return url.href
}
