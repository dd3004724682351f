import { plusMs } from '../core/clock.ts'
import { providerSlug, tenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import { revokeEachToken, type GrantRevocation } from '../oauth/revocation.ts'
import { addEvent } from '../store/events.ts'
import { claimDueRevocations, endRevocation, postponeRevocation, type Revocation } from '../store/revocations.ts'
import { SealBroken } from '../vault/vault.ts'
import type { Context } from './context.ts'
import { logChange } from './log-change.ts'
import { revocationPlace } from './end-connector.ts'
import { providerInUse } from './provider-client.ts'
import { providerLabel } from './provider-label.ts'

const batch = { all: 40, ofTenantAtProvider: 5 }
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
 * Throws the first failure of this service's own once the others are done; that revocation is tried again later.
 */
export async function revokeDue(context: Needs): Promise<number> {
  const now = context.clock.now()
  const due = await claimDueRevocations(context.database.system, now, plusMs(now, claimLifeMs), batch)
  // Side by side: a provider that hangs must not hold up the others.
  const ends = await Promise.allSettled(due.map((revocation) => revokeOne(context, revocation)))
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return due.length
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
