import { createHash } from 'node:crypto'
import { plusMs } from '../core/clock.ts'
import type { ProviderDefinition } from '../core/provider-definition.ts'
import type { ConnectorRow } from '../store/rows.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
/** Where nothing is known, sooner than the month after which the strictest of the usual providers forget. */
const usualKeepAliveDays = 25
/** A connector that nobody used for so long is idle: its access token may expire until somebody comes. */
const idleAfterMs = dayMs

/** What decides when a connector is to be refreshed without anybody asking. */
export interface ScheduleFacts {
  readonly connectorId: string
  /** When the present tokens were granted. */
  readonly grantedAt: Date
  /** Absent: the access token does not expire, as far as anyone knows. */
  readonly expiresAt: Date | undefined
  readonly lastUsedAt: Date | undefined
  /** Days without a refresh after which the refresh token dies, if the definition says. */
  readonly idleDays: number | undefined
}

/**
 * When a healthy connector that has a refresh token is to be refreshed.
 *
 * One in use: one to five minutes before its access token expires. An idle one: often enough that its refresh token does
 * not die of disuse. Each connector has its own place within these spans, so that what was imported together, or fell
 * due while nobody worked, is not refreshed together.
 */
export function nextRefreshAt(facts: ScheduleFacts, now: Date): Date {
  const keepAliveAt = plusMs(facts.grantedAt, keepAliveMs(facts))
  const isIdle = facts.lastUsedAt === undefined || facts.lastUsedAt <= plusMs(now, -idleAfterMs)
  if (isIdle || facts.expiresAt === undefined) return keepAliveAt
  const lifetimeMs = facts.expiresAt.getTime() - facts.grantedAt.getTime()
  const marginMs = Math.min(minuteMs * (1 + 4 * shareOf(facts.connectorId)), lifetimeMs / 4)
  // Tokens that hardly live are refreshed when they are asked for, not all the time.
  const early = Math.max(facts.expiresAt.getTime() - marginMs, facts.grantedAt.getTime() + minuteMs)
  return new Date(Math.min(early, keepAliveAt.getTime()))
}

/** For tokens just granted to somebody who is about to use them. */
export function firstRefreshAt(
  connectorId: string,
  expiresAt: Date | undefined,
  definition: ProviderDefinition,
  now: Date,
): Date {
  const idleDays = definition.refresh_token_idle_days
  return nextRefreshAt({ connectorId, grantedAt: now, expiresAt, lastUsedAt: now, idleDays }, now)
}

/** Between a half and three quarters of what the refresh token bears. */
function keepAliveMs(facts: ScheduleFacts): number {
  const share = shareOf(facts.connectorId)
  return facts.idleDays === undefined
    ? usualKeepAliveDays * dayMs * (0.8 + 0.4 * share)
    : facts.idleDays * dayMs * (0.5 + 0.25 * share)
}

/** From 0 to 1, always the same for a connector, and spread evenly over connectors. */
function shareOf(connectorId: string): number {
  return createHash('sha256').update(connectorId).digest().readUInt32BE(0) / 2 ** 32
}

/** What the sweep does with a connector it finds due: refresh it, or look again at a time, or never. */
export type DueVerdict = 'refresh' | { readonly lookAgainAt: Date | undefined }

/** Judges a due connector by its row: what was in use when its time was set may be idle now. */
export function judgeDue(row: ConnectorRow, idleDays: number | undefined, now: Date): DueVerdict {
  const mayRefresh = row.health === 'active' || row.health === 'degraded'
  if (!mayRefresh || row.refresh_token === null) return { lookAgainAt: undefined }
  const at = row.health === 'degraded' ? row.refresh_retry_at : nextRefreshAt(factsOf(row, idleDays), now)
  return at === null || at <= now ? 'refresh' : { lookAgainAt: at }
}

function factsOf(row: ConnectorRow, idleDays: number | undefined): ScheduleFacts {
  return {
    connectorId: row.connector_id,
    grantedAt: row.tokens_granted_at,
    expiresAt: row.access_token_expires_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
    idleDays,
  }
}
