import {
  collectionId,
  handleDigest,
  spaceId,
  transactionId,
  type ConnectSessionId,
  type ProviderSlug,
} from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import { Secret } from '../core/secret.ts'
import { findForCompletion, type CompletableTransaction } from '../store/find-transactions.ts'
import type { Context } from './context.ts'
import { exchange } from './exchange.ts'
import { isSamePrincipal, requireReach, requireRight, type Principal } from './principal.ts'
import { providerOf } from './provider-client.ts'
import { endRefused, recordRefusal } from './refuse-session.ts'
import type { Connected } from './store-connection.ts'
import { transactionPlace } from './transaction-places.ts'

export interface CompletionRequest {
  readonly providerSlug: ProviderSlug
  /** One of the two names the transaction. */
  readonly by: { readonly sessionId: string } | { readonly state: string }
  /** The connect session that the caller began: a transaction of another one, or of none, is not what it waits for. */
  readonly connectSessionId: ConnectSessionId | undefined
  readonly completionCode: string
}

type Needs = Pick<
  Context,
  'database' | 'vault' | 'catalog' | 'clock' | 'settings' | 'egress' | 'keySets' | 'meter' | 'log'
>

/**
 * Exchanges a parked code for the user who started: the user who finishes must be the user who started (COSF, CORF).
 *
 * Throws 400 `invalid_state`, 403 `principal_mismatch` and `completion_code_invalid`, 404 `session_unknown`,
 * 409 `completion_not_expected`, and what `exchange` throws.
 */
export async function complete(context: Needs, principal: Principal, request: CompletionRequest): Promise<Connected> {
  requireRight(principal, 'connectors:connect')
  const digest = handleDigest(request.completionCode)
  const transaction = await find(context, principal, request, digest)
  try {
    requireReach(principal, spaceId(transaction.space_id), collectionId(transaction.collection_id))
    requireConnectSession(transaction, request.connectSessionId)
    requireParked(transaction, context.clock.now())
    if (!transaction.completion_matches) throw new Problem('completion_code_invalid')
    const inHand = { ...(await openParked(context, transaction)), completionDigest: digest, completedBy: principal }
    const provider = await providerOf(context, transaction)
    return await exchange(context, transaction, provider, inHand)
  } catch (error) {
    if (error instanceof Problem) await recordRefusal(context, transaction, error.publicCode, principal)
    throw error
  }
}

async function find(
  context: Needs,
  principal: Principal,
  request: CompletionRequest,
  digest: Buffer,
): Promise<CompletableTransaction> {
  const unknown = 'state' in request.by ? new Problem('invalid_state') : new Problem('session_unknown')
  const by =
    'state' in request.by
      ? { transactionId: undefined, stateDigest: handleDigest(request.by.state) }
      : { transactionId: transactionId(request.by.sessionId), stateDigest: undefined }
  const transaction = await findForCompletion(context.database.system, by, digest)
  if (transaction?.provider_slug !== request.providerSlug) throw unknown
  if (isSamePrincipal(principal, transaction)) return transaction
  if (transaction.completion_matches && transaction.status !== 'exchanging') {
    // The browser that consented is signed in as somebody else: the code must not wait for anybody any longer.
    await endRefused(context, transaction, 'principal_mismatch', principal)
  } else if (transaction.tenant_id !== principal.tenantId) {
    throw unknown
  } else {
    await recordRefusal(context, transaction, 'principal_mismatch', principal)
  }
  throw new Problem('principal_mismatch')
}

function requireConnectSession(transaction: CompletableTransaction, wanted: ConnectSessionId | undefined): void {
  if (wanted !== undefined && transaction.connect_session_id !== wanted) throw new Problem('invalid_state')
}

function requireParked(transaction: CompletableTransaction, now: Date): void {
  switch (transaction.status) {
    case 'parked': {
      if (transaction.completion_expires_at !== null && transaction.completion_expires_at > now) return
      throw new Problem('invalid_state')
    }
    case 'failed':
      throw new Problem('invalid_state')
    default:
      throw new Problem('completion_not_expected')
  }
}

async function openParked(context: Needs, transaction: CompletableTransaction) {
  if (transaction.code === null) throw new Problem('invalid_state')
  const opened = await context.vault.open(transactionPlace(transaction, 'code'), transaction.code)
  // Sealed by `park`, so the JSON is what was put in there.
  const content = JSON.parse(opened.reveal()) as { code: string; kept: Record<string, string> }
  return { code: new Secret(content.code), kept: content.kept }
}
