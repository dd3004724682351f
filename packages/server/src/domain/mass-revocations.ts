import type { TenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import {
  findMassRevocation,
  pageMassRevocations,
  tallyMassRevocations,
  type MassRevocation,
  type MassRevocationTally,
} from '../store/mass-revocations.ts'
import { pageReceipts, type Receipt } from '../store/receipts.ts'
import type { Context } from './context.ts'
import { cutPage, readCursor, type OrderedPageRequest, type Page, type PageRequest } from './page.ts'
import { requireRight, type Principal } from './principal.ts'

/** An order of the kill switch as callers see it. Field names are the API's. */
export interface MassRevocationView {
  readonly id: string
  readonly status: 'queued' | 'running' | 'completed'
  readonly filter: {
    readonly provider_slug: string | null
    readonly space_id: string | null
    readonly connected_before: string | null
    readonly connected_after: string | null
    readonly principal_id: string | null
  }
  readonly counts: {
    readonly matched: number
    readonly disconnected: number
    readonly revoked: number
    readonly unsupported: number
    readonly failed: number
    readonly pending: number
  }
  readonly created_at: string
  readonly finished_at: string | null
}

/** What became of one connector. */
export interface ReceiptView {
  readonly connector_id: string
  readonly space_id: string
  readonly collection_id: string
  readonly provider_slug: string
  readonly revocation_id: string
  readonly status: Receipt['status']
  readonly reason: string | null
  readonly attempts: number
  readonly disconnected_at: string
  readonly finished_at: string | null
}

type Needs = Pick<Context, 'database'>

/** A token that reaches some spaces only sees the orders for these. */
export async function listMassRevocations(
  context: Needs,
  principal: Principal,
  page: OrderedPageRequest,
): Promise<Page<MassRevocationView>> {
  requireRight(principal, 'connectors:admin')
  const { tenantId } = principal
  const db = context.database.tenant(tenantId)
  const spaces = principal.collections === undefined ? principal.spaces && [...principal.spaces] : []
  const request = { after: readCursor(page.cursor), order: page.order ?? 'asc', limit: page.limit + 1 }
  const rows = await pageMassRevocations(db, tenantId, spaces, request)
  const tallies = await tallyMassRevocations(
    db,
    tenantId,
    rows.map((row) => row.mass_revocation_id),
  )
  return cutPage(
    rows,
    page.limit,
    (row) =>
      viewMassRevocation(
        row,
        tallies.filter((tally) => tally.mass_revocation_id === row.mass_revocation_id),
      ),
    (row) => ({ createdAt: row.created_at, id: row.mass_revocation_id }),
  )
}

/** An order's progress, and a page of its receipts. Throws 404 `mass_revocation_unknown`. */
export async function readMassRevocation(
  context: Needs,
  principal: Principal,
  id: string,
  page: PageRequest,
): Promise<{ readonly order: MassRevocationView; readonly receipts: Page<ReceiptView> }> {
  const { tenantId } = principal
  const order = await requireOrder(context, principal, id)
  const db = context.database.tenant(tenantId)
  const rows = await pageReceipts(db, tenantId, id, { after: readCursor(page.cursor), limit: page.limit + 1 })
  const receipts = cutPage(rows, page.limit, viewReceipt, receiptPosition)
  return { order: viewMassRevocation(order, await tallyMassRevocations(db, tenantId, [id])), receipts }
}

/**
 * Every receipt of an order, a few hundred in memory at a time. Throws 404 `mass_revocation_unknown` before the first is
 * asked for.
 */
export async function reportMassRevocation(
  context: Needs,
  principal: Principal,
  id: string,
): Promise<AsyncIterable<ReceiptView>> {
  await requireOrder(context, principal, id)
  return allReceipts(context, principal.tenantId, id)
}

async function* allReceipts(context: Needs, tenantId: TenantId, id: string): AsyncIterable<ReceiptView> {
  const limit = 500
  const db = context.database.tenant(tenantId)
  for (let rows = await pageReceipts(db, tenantId, id, { after: undefined, limit }); ;) {
    yield* rows.map(viewReceipt)
    const last = rows.at(-1)
    if (rows.length < limit || last === undefined) return
    rows = await pageReceipts(db, tenantId, id, { after: receiptPosition(last), limit })
  }
}

async function requireOrder(context: Needs, principal: Principal, id: string): Promise<MassRevocation> {
  requireRight(principal, 'connectors:admin')
  const { tenantId, spaces, collections } = principal
  const order = await findMassRevocation(context.database.tenant(tenantId), tenantId, id)
  const isReached = spaces === undefined || spaces.has(order?.space_id ?? '')
  if (order === undefined || !isReached || collections !== undefined) throw new Problem('mass_revocation_unknown')
  return order
}

export function viewMassRevocation(row: MassRevocation, tallies: readonly MassRevocationTally[]): MassRevocationView {
  const count = (status: Receipt['status']): number =>
    tallies.find((tally) => tally.status === status)?.revocations ?? 0
  const disconnected = tallies.reduce((sum, tally) => sum + tally.revocations, 0)
  const isCompleted = row.swept_at !== null && count('queued') === 0
  const ends = [row.swept_at, ...tallies.map((tally) => tally.last_finished_at)].filter((end) => end !== null)
  const finishedAt = new Date(Math.max(...ends.map((end) => end.getTime())))
  return {
    id: row.mass_revocation_id,
    status: isCompleted ? 'completed' : row.began_at === null ? 'queued' : 'running',
    filter: {
      provider_slug: row.provider_slug,
      space_id: row.space_id,
      connected_before: row.connected_before?.toISOString() ?? null,
      connected_after: row.connected_after?.toISOString() ?? null,
      principal_id: row.principal_id,
    },
    counts: {
      matched: row.matched,
      disconnected,
      revoked: count('revoked'),
      unsupported: count('unsupported'),
      failed: count('failed'),
      pending: count('queued'),
    },
    created_at: row.created_at.toISOString(),
    finished_at: isCompleted ? finishedAt.toISOString() : null,
  }
}

function viewReceipt(row: Receipt): ReceiptView {
  return {
    connector_id: row.connector_id,
    space_id: row.space_id,
    collection_id: row.collection_id,
    provider_slug: row.provider_slug,
    revocation_id: row.revocation_id,
    status: row.status,
    reason: row.reason,
    attempts: row.attempts,
    disconnected_at: row.created_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  }
}

function receiptPosition(row: Receipt) {
  return { createdAt: row.created_at, id: row.revocation_id }
}
