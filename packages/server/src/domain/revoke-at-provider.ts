import { setTimeout as wait } from 'node:timers/promises'
import { plusMs } from '../core/clock.ts'
import { providerSlug, tenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import { revokeEachToken, type GrantRevocation } from '../oauth/revocation.ts'
import { addEvent } from '../store/events.ts'
import { claimDueRevocations, endRevocation, postponeRevocation, type Revocation } from '../store/revocations.ts'
import { SealBroken } from '../vault/vault.ts'
import { keptValues } from './connection-values.ts'
import type { Context } from './context.ts'
import { logChange } from './log-change.ts'
import { revocationPlace } from './end-connector.ts'
import { providerInUse } from './provider-client.ts'
import { providerLabel } from './provider-label.ts'

/** At most so many under way: what hangs at eight tenants fills it, and holds up the others until its deadline. */
const mostUnderWay = 64
const mostOfTenant = 8
const mostOfTenantAtProvider = 5
/** One call takes no more than this, and begins the end after a moment, so that a process can end. */
const mostAtOnce = 1_000
const beginsForMs = 5_000
const lookAgainMs = 1_000
/** Those that end at about the same time make room for one claim together. */
const gatherMs = 20
/** A worker that dies leaves its revocations to others after this long; two requests take ten seconds at most. */
const claimLifeMs = 15_000
const firstBackoffMs = 10_000
const longestBackoffMs = 60 * 60_000
const longestWaitMs = 7 * 24 * 60 * 60_000

type Needs = Pick<
  Context,
  'database' | 'vault' | 'catalog' | 'clock' | 'settings' | 'egress' | 'keySets' | 'meter' | 'log'
>

/**
 * Works off revocations that are due, and answers how many there were. The end state of each becomes an event.
 *
 * It takes a few of each tenant at a time and goes on with the others while some of them hang. Throws the first failure
 * of this service's own once the others are done; that revocation is tried again later. Once `stopping` says so it takes
 * nothing more and lets what is under way end.
 */
export async function revokeDue(context: Needs, stopping?: AbortSignal): Promise<number> {
  const round: Round = { underWay: new Map(), failures: [] }
  const endsAt = performance.now() + beginsForMs
  let late: ReadonlyMap<Promise<void>, Revocation> | undefined
  let count = 0
  while (count < mostAtOnce) {
    // What hangs when the time is over ends soon. The other tenants go on until then.
    if (performance.now() >= endsAt) late ??= new Map(round.underWay)
    if (late !== undefined && ![...late.keys()].some((one) => round.underWay.has(one))) break
    if (stopping?.aborted === true) break
    const due = await claimSome(context, round, [...(late?.values() ?? [])])
    for (const revocation of due) begin(context, round, revocation)
    count += due.length
    if (round.underWay.size === 0) break
    await Promise.race([...round.underWay.keys(), wait(lookAgainMs, undefined, { ref: false })])
    await wait(gatherMs)
  }
  await Promise.all(round.underWay.keys())
  const [failure] = round.failures
  if (failure !== undefined) throw failure
  return count
}

interface Round {
  readonly underWay: Map<Promise<void>, Revocation>
  readonly failures: Error[]
}

async function claimSome(context: Needs, round: Round, late: readonly Revocation[]): Promise<Revocation[]> {
  const all = mostUnderWay - round.underWay.size
  if (all <= 0) return []
  const now = context.clock.now()
  return claimDueRevocations(context.database.system, now, plusMs(now, claimLifeMs), {
    limits: { all, ofTenant: mostOfTenant, ofTenantAtProvider: mostOfTenantAtProvider },
    underWay: [...round.underWay.values()],
    without: late.map((revocation) => revocation.tenant_id),
  })
}

function begin(context: Needs, round: Round, revocation: Revocation): void {
  const working = revokeOne(context, revocation)
    .catch((error: unknown) => {
      round.failures.push(error instanceof Error ? error : new Error('A revocation failed'))
    })
    .finally(() => round.underWay.delete(working))
  round.underWay.set(working, revocation)
}

async function revokeOne(context: Needs, revocation: Revocation): Promise<void> {
  const provider = providerLabel(context, revocation.provider_slug)
  const { outcome, tokens } = await context.meter.step('revoke', { provider }, () => attempt(context, revocation))
  const now = context.clock.now()
  const tenant = tenantId(revocation.tenant_id)
  const isTooOld = now.getTime() - revocation.created_at.getTime() > longestWaitMs
  if (outcome.kind === 'failed' && outcome.retryable && !isTooOld) {
    const backoffMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(revocation.attempts, 20))
    const waitMs = Math.max(backoffMs * (0.5 + Math.random() / 2), (outcome.retryAfterSeconds ?? 0) * 1000)
    const db = context.database.tenant(tenant)
    context.meter.count('revocations_total', { provider, outcome: 'postponed' })
    return postponeRevocation(db, tenant, revocation.revocation_id, outcome.reason, plusMs(now, waitMs))
  }
  context.meter.count('revocations_total', { provider, outcome: outcome.kind })
  const reason = outcome.kind === 'failed' ? outcome.reason : undefined
  const hasEnded = await context.database.transaction(tenant, async (db) => {
    const isFirst = await endRevocation(db, tenant, revocation.revocation_id, { status: outcome.kind, reason }, now)
    if (!isFirst) return false
    await addEvent(
      db,
      tenant,
      {
        eventType: outcome.kind === 'revoked' ? 'connector.revoked' : 'connector.revocation_failed',
        actorId: undefined,
        resourceType: 'connector',
        resourceId: revocation.connector_id,
        place: revocation,
        metadata: {
          provider_slug: revocation.provider_slug,
          revocation_id: revocation.revocation_id,
          status: outcome.kind,
          ...(reason === undefined ? {} : { reason }),
          // What became of each token that was sent.
          tokens,
          ...(revocation.mass_revocation_id !== null && { mass_revocation_id: revocation.mass_revocation_id }),
        },
      },
      now,
    )
    return true
  })
  if (hasEnded)
    logChange(context, revocation, outcome.kind === 'revoked' ? 'revoked' : 'revocation_failed', reason ?? outcome.kind)
}

async function attempt(context: Needs, revocation: Revocation): Promise<GrantRevocation> {
  const open = async (field: 'access_token' | 'refresh_token', sealed: Buffer | null) =>
    sealed === null ? undefined : context.vault.open(revocationPlace(revocation, field), sealed)
  try {
    const provider = await providerInUse(
      context,
      tenantId(revocation.tenant_id),
      providerSlug(revocation.provider_slug),
      keptValues(revocation),
    )
    // Old tokens never go to a changed endpoint or client.
    if (provider.contextId !== revocation.context_id) return gone('provider_app_changed')
    return await revokeEachToken(context, provider.client, {
      accessToken: await open('access_token', revocation.access_token),
      refreshToken: await open('refresh_token', revocation.refresh_token),
      kept: revocation.kept as Record<string, string>,
    })
  } catch (error) {
    if (error instanceof Problem) return gone(error.code)
    // Nobody will ever read these tokens again.
    if (error instanceof SealBroken) return gone('tokens_unreadable')
    throw error
  }
}

function gone(reason: string): GrantRevocation {
  return { outcome: { kind: 'failed', reason, retryable: false, retryAfterSeconds: undefined }, tokens: {} }
}
