import { plusMs } from '../core/clock.ts'
import {
  collectionId,
  handleDigest,
  isCustomSlug,
  randomHandle,
  spaceId,
  tenantId,
  transactionId,
  type ProviderSlug,
} from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import { Secret } from '../core/secret.ts'
import { readCallback } from '../oauth/callback.ts'
import { findByState, type PendingTransaction } from '../store/find-transactions.ts'
import { parkCode } from '../store/transactions.ts'
import type { Context } from './context.ts'
import { exchange } from './exchange.ts'
import { isSamePrincipal, requireReach, requireRight, type Principal } from './principal.ts'
import { providerOf, type ProviderInUse } from './provider-client.ts'
import { endRefused, recordRefusal } from './refuse-session.ts'
import type { Connected } from './store-connection.ts'
import { transactionPlace } from './transaction-places.ts'

/** How long a parked code waits for its starter. */
const parkedLifeMs = 120_000

export interface CallbackRequest {
  readonly providerSlug: ProviderSlug
  /** How the provider answered: in the query, or by form post. */
  readonly method: 'GET' | 'POST'
  /** All callback parameters, each given once. */
  readonly parameters: Readonly<Record<string, string>>
  /** Values of this service's browser cookies. */
  readonly browserBindings: readonly string[]
}

/** Whom a page may tell the outcome: the session, and the one origin fixed at start. */
export interface Audience {
  readonly sessionId: string
  readonly origin: string | undefined
  /** Present for an attempt of a hosted Connect page: where the browser goes back to. */
  readonly connectSession?: { readonly id: string; readonly providerSlug: string }
}

/** A problem after the transaction was found, so that the page can tell its opener. */
export interface CallbackFailure {
  readonly kind: 'failed'
  readonly problem: Problem
  readonly audience: Audience
  readonly landingUri: string | undefined
}

export type CallbackOutcome =
  | {
      readonly kind: 'connected'
      readonly connected: Connected
      readonly audience: Audience
      readonly landingUri: string | undefined
    }
  | {
      readonly kind: 'parked'
      readonly completionCode: Secret
      readonly audience: Audience
      readonly landingUri: string | undefined
    }
  | CallbackFailure

type Needs = Pick<
  Context,
  'database' | 'vault' | 'catalog' | 'clock' | 'settings' | 'egress' | 'keySets' | 'meter' | 'log'
>

/**
 * Takes the provider's answer. With the starter's proof the code is exchanged now; without, it is parked until the
 * starter completes. Nothing leaves this process before path, state, issuer and principal are right.
 *
 * Throws 400 `invalid_state` for a state that is unknown, used, expired or another context's, without using it up.
 */
export async function receiveCallback(
  context: Needs,
  principal: Principal | undefined,
  request: CallbackRequest,
): Promise<CallbackOutcome> {
  const transaction = await findPending(context, principal, request)
  const audience = audienceOf(transaction)
  try {
    const provider = await providerOf(context, transaction)
    requireExpectedMethod(provider, request.method)
    const answer = readCallback(provider.client, request.parameters)
    if (answer.kind === 'invalid') throw new Problem('invalid_state')
    if (principal !== undefined) await requireStarter(context, principal, transaction)
    else requireSameBrowser(transaction)
    if (answer.kind === 'refused') throw await refuse(context, transaction, answer, principal)
    if (principal === undefined) return await park(context, transaction, answer)
    const inHand = { ...answer, completionDigest: undefined, completedBy: principal }
    const connected = await exchange(context, transaction, provider, inHand)
    return { kind: 'connected', connected, audience, landingUri: transaction.landing_uri ?? undefined }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    await recordRefusal(context, transaction, error.publicCode, principal)
    return { kind: 'failed', problem: error, audience, landingUri: transaction.landing_uri ?? undefined }
  }
}

/** Whether the provider's own name for the code is among the parameters; only the catalogue may rename it. */
export function hasRenamedCode(
  context: Pick<Context, 'catalog'>,
  slug: ProviderSlug,
  parameters: Readonly<Record<string, unknown>>,
): boolean {
  const name = context.catalog.get(slug)?.code_parameter
  return name !== undefined && typeof parameters[name] === 'string'
}

/** The page's audience: the origin of the session, or of the landing page. */
function audienceOf(transaction: PendingTransaction): Audience {
  const landing = transaction.landing_uri
  const origin = transaction.origin ?? (landing === null ? undefined : new URL(landing).origin)
  return {
    sessionId: transaction.transaction_id,
    origin,
    ...(transaction.connect_session_id !== null && {
      connectSession: { id: transaction.connect_session_id, providerSlug: transaction.provider_slug },
    }),
  }
}

async function findPending(
  context: Needs,
  principal: Principal | undefined,
  request: CallbackRequest,
): Promise<PendingTransaction> {
  // A tenant's own provider can be told from an unknown one only by its transaction.
  const isCatalogued = context.catalog.get(request.providerSlug) !== undefined
  if (!isCatalogued && !isCustomSlug(request.providerSlug)) throw new Problem('provider_unknown')
  const state = request.parameters['state'] ?? ''
  const transaction = await findByState(
    context.database.system,
    handleDigest(state),
    context.clock.now(),
    request.browserBindings.map(handleDigest),
  )
  // The path must name the transaction's context: a hostile provider may bounce a victim's state to an honest one's
  // callback (mix-up, COAT). A parked transaction has had its callback.
  if (transaction?.provider_slug === request.providerSlug && transaction.status === 'started') return transaction
  if (transaction !== undefined) {
    const isElsewhere = transaction.provider_slug !== request.providerSlug
    await recordRefusal(context, transaction, isElsewhere ? 'context_mismatch' : 'invalid_state', principal)
  }
  throw new Problem('invalid_state')
}

/** Form posts come cross-site, past the browser's cookies; only providers that must answer so may. */
function requireExpectedMethod(provider: ProviderInUse, method: 'GET' | 'POST'): void {
  const responseMode = provider.client.definition.extra_authorize_params?.['response_mode']
  if (method === 'POST' && responseMode !== 'form_post') throw new Problem('form_post_not_expected')
}

/** Rights are judged again: they may have been taken away since the start. Another principal costs the transaction its code. */
async function requireStarter(context: Needs, principal: Principal, transaction: PendingTransaction): Promise<void> {
  if (!isSamePrincipal(principal, transaction)) {
    await endRefused(context, transaction, 'principal_mismatch', principal)
    throw new Problem('principal_mismatch')
  }
  requireRight(principal, 'connectors:connect')
  requireReach(principal, spaceId(transaction.space_id), collectionId(transaction.collection_id))
}

/** A callback URL that was carried to another browser is refused there, and stays good where it belongs. */
function requireSameBrowser(transaction: PendingTransaction): void {
  if (transaction.browser_bound && !transaction.browser_matches) throw new Problem('browser_mismatch')
}

async function refuse(
  context: Needs,
  transaction: PendingTransaction,
  answer: { readonly code: string; readonly description: string | undefined },
  principal: Principal | undefined,
): Promise<Problem> {
  await endRefused(context, transaction, answer.code, principal)
  const detail = answer.description === undefined ? {} : { detail: `The provider says: ${answer.description}` }
  if (answer.code === 'access_denied') return new Problem('access_denied', detail)
  return new Problem('provider_refused', { ...detail, publicCode: answer.code })
}

async function park(
  context: Needs,
  transaction: PendingTransaction,
  answer: { readonly code: Secret; readonly kept: Readonly<Record<string, string>> },
): Promise<CallbackOutcome> {
  const now = context.clock.now()
  const tenant = tenantId(transaction.tenant_id)
  const completionCode = new Secret(randomHandle())
  const content = new Secret(JSON.stringify({ code: answer.code.reveal(), kept: answer.kept }))
  const parked = await parkCode(context.database.tenant(tenant), tenant, transactionId(transaction.transaction_id), {
    now,
    code: await context.vault.seal(transactionPlace(transaction, 'code'), content),
    completionDigest: handleDigest(completionCode.reveal()),
    completionExpiresAt: plusMs(now, parkedLifeMs),
  })
  if (!parked) throw new Problem('invalid_state')
  return {
    kind: 'parked',
    completionCode,
    audience: audienceOf(transaction),
    landingUri: transaction.landing_uri ?? undefined,
  }
}
