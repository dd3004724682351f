import { connectorId, tenantId, transactionId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { Secret } from '../core/secret.ts'
import type { ProviderClient, TokenFailure, TokenGrant } from '../core/token.ts'
import { AccountMismatchError, readAccount, type AccountReading } from '../oauth/account.ts'
import { exchangeCode } from '../oauth/token-request.ts'
import { findConnector } from '../store/connectors.ts'
import type { Db } from '../store/database.ts'
import type { Transaction } from '../store/find-transactions.ts'
import { claimExchange } from '../store/transactions.ts'
import type { Context } from './context.ts'
import { dropGrant } from './drop-grant.ts'
import { requireMayReplace } from './prepare-transaction.ts'
import type { Principal } from './principal.ts'
import type { ProviderInUse } from './provider-client.ts'
import { providerLabel } from './provider-label.ts'
import { endExchange } from './refuse-session.ts'
import { requireOpenForConnecting } from './connect-session-end.ts'
import { storeConnection, type Connected } from './store-connection.ts'
import { transactionPlace } from './transaction-places.ts'

export interface CodeInHand {
  readonly code: Secret
  readonly kept: Readonly<Record<string, string>>
  /** Present when the code was parked. */
  readonly completionDigest: Buffer | undefined
  /** The starter, with the rights of now. */
  readonly completedBy: Principal
}

type Needs = Pick<
  Context,
  'database' | 'vault' | 'catalog' | 'clock' | 'settings' | 'egress' | 'keySets' | 'meter' | 'log'
>

/**
 * Makes the one token request of a transaction and stores the connection.
 *
 * The caller has proven to be the starter, and `provider` is that of the transaction's context (`providerOf`). Throws 400 `invalid_state` when another request was first,
 * 400 `invalid_grant`, 409 `account_changed`, `authorization_revoked` and the like, 502 `provider_error`, 504 `provider_timeout`; the transaction has
 * failed then, since a code works once.
 */
export async function exchange(
  context: Needs,
  transaction: Transaction,
  provider: ProviderInUse,
  inHand: CodeInHand,
): Promise<Connected> {
  const { client } = provider
  const tenant = tenantId(transaction.tenant_id)
  const id = transactionId(transaction.transaction_id)
  const db = context.database.tenant(tenant)
  await Promise.all([
    requireOpenForConnecting(db, transaction),
    requireStillReplaceable(db, transaction, inHand.completedBy),
  ])
  const claim = await claimExchange(db, tenant, id, context.clock.now(), inHand.completionDigest)
  if (claim === 'taken') throw new Problem('invalid_state')
  try {
    if (claim === 'ordered-away') throw new Problem('authorization_revoked')
    const grant = await requestToken(context, client, transaction, inHand)
    const { account, kept } = await identifyAccount(context, client, grant)
    try {
      const whole = { ...grant, kept: { ...grant.kept, ...kept } }
      const { completedBy } = inHand
      return await storeConnection(context, transaction, { grant: whole, account, provider, completedBy })
    } catch (error) {
      if (!(error instanceof Problem) || wantsNoGrant.has(error.code)) await dropGrant(context, client, grant)
      throw error
    }
  } catch (error) {
    const errorCode = error instanceof Problem ? error.publicCode : 'internal_error'
    // Whoever exchanges has been proven to be the starter.
    const { principal_issuer: issuer, principal_subject: subject } = transaction
    await endExchange(context, transaction, errorCode, { tenantId: tenant, issuer, subject })
    throw error
  }
}

/**
 * Most refusals are about which account this is, and dropping the grant might cut off a good connection to it. Not so the
 * kill switch, which was thrown just now and wants every such grant ended, nor a transaction that is gone with its tenant.
 */
const wantsNoGrant: ReadonlySet<string> = new Set(['authorization_revoked', 'invalid_state'])

/** Throws 403 `missing_right` before the code is spent: a right may be gone, or the connector somebody else's, since the start. */
async function requireStillReplaceable(db: Db, transaction: Transaction, principal: Principal): Promise<void> {
  if (!transaction.connector_named) return
  const known = await findConnector(db, tenantId(transaction.tenant_id), connectorId(transaction.connector_id))
  if (known !== undefined) requireMayReplace(principal, known, transaction)
}

async function requestToken(
  context: Needs,
  client: ProviderClient,
  transaction: Transaction,
  inHand: CodeInHand,
): Promise<TokenGrant> {
  const open = (field: 'verifier' | 'nonce', sealed: Buffer | null) =>
    sealed === null ? undefined : context.vault.open(transactionPlace(transaction, field), sealed)
  const request = {
    code: inHand.code,
    redirectUri: transaction.oauth_redirect_uri,
    verifier: await open('verifier', transaction.verifier),
    nonce: (await open('nonce', transaction.nonce))?.reveal(),
    kept: inHand.kept,
  }
  const startedAt = performance.now()
  const provider = providerLabel(context, transaction.provider_slug)
  const outcome = await context.meter.step('exchange', { provider }, async (tell) => {
    const answered = await exchangeCode(context, client, request)
    tell({ outcome: answered.kind })
    return answered
  })
  const labels = { provider, call: 'token' } as const
  context.meter.observe('provider_request_seconds', labels, (performance.now() - startedAt) / 1000)
  if (outcome.kind === 'granted') return outcome
  throw toProblem(outcome)
}

/** The contract's answer to each kind of failure at the token endpoint. */
function toProblem(failure: TokenFailure): Problem {
  switch (failure.kind) {
    case 'grant-lost':
      return new Problem('invalid_grant')
    case 'client-rejected':
      return new Problem('provider_error', {
        detail: 'The provider refused the provider app; an administrator must check its client id and secret.',
      })
    case 'unavailable':
      return new Problem(failure.reason === 'timeout' ? 'provider_timeout' : 'provider_error')
  }
}

/** The account behind the grant. Tokens whose ID token and userinfo name different subjects belong to nobody. */
async function identifyAccount(context: Needs, client: ProviderClient, grant: TokenGrant): Promise<AccountReading> {
  try {
    return await readAccount(context, client, grant)
  } catch (error) {
    if (error instanceof AccountMismatchError) throw new Problem('provider_error')
    throw error
  }
}
