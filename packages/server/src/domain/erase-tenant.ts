import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { plusMs } from '../core/clock.ts'
import type { TenantId } from '../core/ids.ts'
import { connectedConnectors, countConnected } from '../store/connected.ts'
import { tallyMassRevocations, type MassRevocationTally } from '../store/mass-revocations.ts'
import { countQueuedRevocations } from '../store/revocations.ts'
import { countTenantRows, deleteTenantRows, keysOfTenant, tenantTables, type TableRows } from '../store/tenant-rows.ts'
import type { Context } from './context.ts'
import { endConnectors } from './mass-revoke.ts'
import { revokeDue } from './revoke-at-provider.ts'

type Needs = Pick<
  Context,
  'database' | 'vault' | 'catalog' | 'clock' | 'settings' | 'egress' | 'keySets' | 'meter' | 'wakeUp' | 'log'
>

/** What an erasure would destroy. */
export interface TenantContents {
  readonly tables: readonly TableRows[]
  /** Connectors whose tokens still live. */
  readonly connected: number
  /** By these the tenant's data keys are wrapped: whoever has one and an old backup can read what that holds. */
  readonly keyEncryptionKeyIds: readonly string[]
}

export type ErasureProgress =
  | { readonly step: 'disconnect'; readonly disconnected: number; readonly failed: number }
  | { readonly step: 'revoke'; readonly pending: number }
  | { readonly step: 'delete'; readonly table: string; readonly rows: number }

/** What was destroyed. Nothing of it stays in the database, so this is the only record. */
export interface Erasure {
  readonly tenant_id: string
  readonly began_at: string
  readonly finished_at: string
  readonly disconnected: number
  /** By end at the provider; `untold` were given up at the deadline, and their tokens live until they expire. */
  readonly revocations: {
    readonly revoked: number
    readonly unsupported: number
    readonly failed: number
    readonly untold: number
  }
  readonly rows: Readonly<Record<string, number>>
  readonly key_encryption_key_ids: readonly string[]
  /** Rows that came while the others were deleted, and are still there: the tenant's requests have not ended. */
  readonly rows_left: number
}

const connectorsAtOnce = 100
const lookAgainMs = 250
/** What running processes write later than they answer has arrived after this long. */
const settleMs = 1_000
const mostRounds = 10

export async function describeTenant(context: Pick<Context, 'database'>, tenant: TenantId): Promise<TenantContents> {
  const db = context.database.tenant(tenant)
  const tables = await countTenantRows(db, tenant, await tenantTables(context.database.system))
  return {
    tables,
    connected: await countConnected(db, tenant),
    keyEncryptionKeyIds: await keysOfTenant(db, tenant),
  }
}

/**
 * Ends every connector of a tenant, waits until the providers were told, `waitMs` at most, and deletes all of the
 * tenant's rows, its data keys last.
 *
 * What is interrupted is done by calling it again. Requests of the tenant should have ended before: what they write
 * meanwhile is deleted too, but not for ever.
 */
export async function eraseTenant(
  context: Needs,
  tenant: TenantId,
  waitMs: number,
  tell: (progress: ErasureProgress) => void,
): Promise<Erasure> {
  const began = context.clock.now()
  const deadline = plusMs(began, waitMs)
  const db = context.database.tenant(tenant)
  const erasureId = `erasure_${randomBytes(16).toString('base64url')}`
  const keyIds = await keysOfTenant(db, tenant)
  await disconnectAll(context, tenant, { erasureId, deadline }, tell)
  const untold = await untilRevoked(context, tenant, deadline, tell)
  const ends = await tallyMassRevocations(db, tenant, [erasureId])
  const count = (end: MassRevocationTally['status']): number =>
    ends.find((tally) => tally.status === end)?.revocations ?? 0
  const { rows, left } = await deleteAll(context, tenant, tell)
  return {
    tenant_id: tenant,
    began_at: began.toISOString(),
    finished_at: context.clock.now().toISOString(),
    disconnected: ends.reduce((sum, tally) => sum + tally.revocations, 0),
    revocations: {
      revoked: count('revoked'),
      unsupported: count('unsupported'),
      failed: count('failed'),
      untold,
    },
    rows: Object.fromEntries(rows),
    key_encryption_key_ids: keyIds,
    rows_left: left,
  }
}

/** A connector that cannot be disconnected (its key service is away) is tried until the deadline, then deleted. */
async function disconnectAll(
  context: Needs,
  tenant: TenantId,
  erasure: { readonly erasureId: string; readonly deadline: Date },
  tell: (progress: ErasureProgress) => void,
): Promise<void> {
  const db = context.database.tenant(tenant)
  let disconnected = 0
  for (let after = ''; ;) {
    const ids = await connectedConnectors(db, tenant, after, connectorsAtOnce)
    const failures = await endConnectors(context, tenant, ids, {
      actorId: undefined,
      massRevocationId: erasure.erasureId,
      isMeant: (connector) => connector.health !== 'disconnected',
    })
    disconnected += ids.length - failures
    tell({ step: 'disconnect', disconnected, failed: failures })
    after = ids.at(-1) ?? ''
    if (ids.length === connectorsAtOnce) continue
    const isOver = context.clock.now() >= erasure.deadline
    if (isOver || (await countConnected(db, tenant)) === 0) return
    await wait(lookAgainMs)
    after = ''
  }
}

/** Works off revocations beside the workers, if there are any; answers how many of the tenant's are left. */
async function untilRevoked(
  context: Needs,
  tenant: TenantId,
  deadline: Date,
  tell: (progress: ErasureProgress) => void,
): Promise<number> {
  const db = context.database.tenant(tenant)
  for (;;) {
    // A failure of another tenant's revocation is told where that is worked off.
    const done = await revokeDue(context).catch(() => 0)
    const pending = await countQueuedRevocations(db, tenant)
    tell({ step: 'revoke', pending })
    if (pending === 0 || context.clock.now() >= deadline) return pending
    if (done === 0) await wait(lookAgainMs)
  }
}

async function deleteAll(
  context: Needs,
  tenant: TenantId,
  tell: (progress: ErasureProgress) => void,
): Promise<{ readonly rows: ReadonlyMap<string, number>; readonly left: number }> {
  const db = context.database.tenant(tenant)
  const tables = await tenantTables(context.database.system)
  const deleted = new Map<string, number>()
  for (let round = 0; round < mostRounds; round += 1) {
    for (const table of tables) {
      for (let gone = 1; gone > 0;) {
        gone = await deleteTenantRows(db, tenant, table)
        if (gone === 0) continue
        deleted.set(table, (deleted.get(table) ?? 0) + gone)
        tell({ step: 'delete', table, rows: deleted.get(table) ?? 0 })
      }
    }
    await wait(settleMs)
    if ((await countTenantRows(db, tenant, tables)).length === 0) return { rows: deleted, left: 0 }
  }
  const left = await countTenantRows(db, tenant, tables)
  return { rows: deleted, left: left.reduce((sum, { rows }) => sum + rows, 0) }
}
