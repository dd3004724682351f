import { plusMs } from '../core/clock.ts'
import { connectorId, tenantId } from '../core/ids.ts'
import type { RefreshOutcome } from '../core/meter.ts'
import type { TokenFailure, TokenOutcome } from '../core/token.ts'
import { isRefreshUrlAlive } from '../oauth/endpoint-alive.ts'
import { refreshGrant } from '../oauth/token-request.ts'
import { findConnector } from '../store/connectors.ts'
import { claimRefresh, type RefreshFailure } from '../store/refresh-leases.ts'
import type { ConnectorRow } from '../store/rows.ts'
import type { Context } from './context.ts'
import { judgeLostReply, worksOnce, type Rotation } from './lost-reply.ts'
import type { PreparedRefresh } from './prepare-refresh.ts'
import { providerLabel } from './provider-label.ts'
import { later, lost, outcomeUnknown, toFailure } from './refresh-failure.ts'
import type { Turn, TurnEnd } from './refresh-gate.ts'
import type { RefreshReason, RefreshResult } from './refresh-result.ts'
import { storeFailure, storeGrant, type SentRefresh } from './store-refresh.ts'

/** The lease outlives the call, the check of an ID token (at most five seconds more) and an ordinary storing. */
const providerDeadlineMs = 10_000
const leaseMs = 25_000
/** A provider's API that answers 401 whatever the token is must not make a refresh of every call. */
export const forcedEveryMs = 60_000
/** What a caller is told when the provider did not even answer a question without a token. */
const comeAgainSeconds = 5

type Needs = Pick<Context, 'database' | 'vault' | 'clock' | 'egress' | 'keySets' | 'meter' | 'log' | 'catalog'>

/** A refresh about to be sent. */
export interface ReadyRefresh {
  readonly connector: ConnectorRow
  readonly prepared: PreparedRefresh
  readonly reason: RefreshReason
}

/**
 * Claims the right to refresh, sends the request and records its end, all within a turn at the provider.
 *
 * `not-claimed` when another process was first or the row is no longer as it was judged; nothing was sent then.
 */
export async function sendRefresh(
  context: Needs,
  turn: Turn,
  ready: ReadyRefresh,
): Promise<RefreshResult | 'not-claimed'> {
  const { connector, prepared, reason } = ready
  const { client, kept, rotation } = prepared
  try {
    if (turn.isProbe && worksOnce(rotation) && !(await isRefreshUrlAlive(context, client, kept))) {
      turn.end({ kind: 'outage', retryAfterSeconds: undefined, isCostly: false })
      return { kind: 'deferred', retryAfterSeconds: comeAgainSeconds }
    }
    const now = context.clock.now()
    // The turn may have been long in coming.
    if (!mayBeSent(connector, rotation, now)) return 'not-claimed'
    const tenant = tenantId(connector.tenant_id)
    const db = context.database.tenant(tenant)
    const leaseEnds = plusMs(now, leaseMs)
    const lease = await claimRefresh(db, tenant, connectorId(connector.connector_id), connector, {
      now,
      leaseEnds,
      forcedBefore: reason === 'rejected' ? plusMs(now, -forcedEveryMs) : undefined,
    })
    if (lease === undefined) return 'not-claimed'
    // So may the claim: what would arrive when its time is over must not leave.
    const sendingAt = context.clock.now()
    if (plusMs(sendingAt, providerDeadlineMs) > leaseEnds || !mayBeSent(connector, rotation, sendingAt)) {
      turn.end({ kind: 'unused' })
      return await settleFailure(context, { ...ready, lease }, tooLate(connector, rotation, sendingAt))
    }
    const outcome = await askProvider(context, ready)
    const sent = { ...ready, lease }
    if (outcome.kind === 'granted') {
      turn.end({ kind: 'answered' })
      const isStored = await storeGrant(context, sent, outcome)
      countRefresh(context, connector, isStored ? 'refreshed' : 'superseded')
      return { kind: 'changed' }
    }
    const lostReply = { sentAt: connector.refresh_sent_at ?? now, sends: connector.refresh_unanswered + 1 }
    const before = { failures: connector.refresh_failures, lostReply, rotation }
    const failure = toFailure(outcome, before, context.clock.now())
    turn.end(turnEnd(outcome, failure))
    return await settleFailure(context, sent, failure, outcome)
  } finally {
    turn.end({ kind: 'unused' })
  }
}

/** Whether the refresh token may go out: a reply to it that was lost may forbid that. */
export function mayBeSent(connector: ConnectorRow, rotation: Rotation, now: Date): boolean {
  const { refresh_sent_at: sentAt, refresh_unanswered: sends } = connector
  return sentAt === null || judgeLostReply({ sentAt, sends }, rotation, now).kind === 'send-again'
}

async function askProvider(context: Needs, { connector, prepared }: ReadyRefresh): Promise<TokenOutcome> {
  const startedAt = performance.now()
  const provider = providerLabel(context, connector.provider_slug)
  const outcome = await context.meter.step('refresh', { provider }, async (tell) => {
    const answered = await refreshGrant(context, prepared.client, {
      refreshToken: prepared.refreshToken,
      kept: prepared.kept,
      idTokenSubject: connector.id_token_subject ?? undefined,
      deadlineMs: providerDeadlineMs,
    })
    tell({ outcome: answered.kind })
    return answered
  })
  const labels = { provider, call: 'refresh' } as const
  context.meter.observe('provider_request_seconds', labels, (performance.now() - startedAt) / 1000)
  return outcome
}

function turnEnd(outcome: TokenFailure, failure: RefreshFailure): TurnEnd {
  if (outcome.kind !== 'unavailable') return { kind: 'answered' }
  // Our own rules refused the address.
  if (outcome.reason === 'refused') return { kind: 'unused' }
  const isCostly = failure.health === 'reauth_required'
  return { kind: 'outage', retryAfterSeconds: outcome.retryAfterSeconds, isCostly }
}

/** Recorded rather than given back: somebody may have judged the mark of the claim meanwhile, and this says that nothing left. */
function tooLate(connector: ConnectorRow, rotation: Rotation, now: Date): RefreshFailure {
  const isAllowed = mayBeSent(connector, rotation, now)
  return {
    ...(isAllowed ? later(connector.refresh_failures, 'refresh_delayed', now) : lost(outcomeUnknown)),
    answers: 1,
  }
}

async function settleFailure(
  context: Needs,
  sent: SentRefresh,
  failure: RefreshFailure,
  outcome?: TokenFailure,
): Promise<RefreshResult> {
  const { connector, lease } = sent
  const isRecorded = await storeFailure(context, connector, lease, failure)
  countRefresh(context, connector, isRecorded ? outcomeLabel(failure, outcome) : 'superseded')
  const { health, reason } = failure
  const about = { tenant_id: connector.tenant_id, connector_id: connector.connector_id }
  context.log.warn(
    { ...about, provider: providerLabel(context, connector.provider_slug), health, reason },
    'a refresh failed',
  )
  if (!isRecorded) return { kind: 'changed' }
  const after = await findConnector(context.database.tenant(lease.tenantId), lease.tenantId, lease.connectorId)
  return after === undefined ? { kind: 'changed' } : { kind: 'failed', connector: after }
}

function outcomeLabel(failure: RefreshFailure, outcome: TokenFailure | undefined): RefreshOutcome {
  switch (outcome?.kind) {
    case 'grant-lost':
      return 'grant_lost'
    case 'client-rejected':
      return 'client_rejected'
    case 'unavailable':
    case undefined:
      return failure.reason === outcomeUnknown ? 'outcome_unknown' : 'unavailable'
  }
}

/** Counts how a refresh ended, once for each. */
export function countRefresh(
  context: Pick<Context, 'meter' | 'catalog'>,
  connector: ConnectorRow,
  outcome: RefreshOutcome,
): void {
  context.meter.count('refreshes_total', { provider: providerLabel(context, connector.provider_slug), outcome })
}
