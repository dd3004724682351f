import { entryHash, genesisHash } from '../core/audit-entry.ts'
import { plusMs } from '../core/clock.ts'
import { tenantId as toTenantId, type TenantId } from '../core/ids.ts'
import { findUnlinked, linkEntries, lockChain, tenantsWithUnlinked, type ChainHead } from '../store/audit-chain.ts'
import type { Context } from './context.ts'
import { signDue } from './sign-checkpoint.ts'

/** One transaction links no more, so that nobody waits long for the chain. */
const portion = 1_000
const portionsAtOnce = 20
const tenantsAtOnce = 100
/** A checkpoint is signed after so many entries, or so long after the first that none covers. */
const entriesPerCheckpoint = 1_000
const checkpointAfterMs = 60_000

type Needs = Pick<Context, 'database' | 'clock'>
type LinkerNeeds = Pick<Context, 'database' | 'clock' | 'vault' | 'meter'>

/**
 * Gives the tenant's entries that no chain holds yet their positions and hashes, and answers how many.
 *
 * What was committed before the call has a position afterwards, unless more than 20,000 entries waited. Positions
 * are given after commit: whoever has read up to one never misses an earlier one.
 */
export async function linkTenant(context: Needs, tenantId: TenantId): Promise<number> {
  return linkPortions(context, tenantId, 'wait')
}

/**
 * Links what waits, of every tenant, and signs the checkpoints that are due. Several processes may run it: a chain that one
 * works on the others leave alone.
 */
export async function linkDue(context: LinkerNeeds): Promise<number> {
  const linked = await linkAll(context)
  return linked + (await signDue(context))
}

async function linkAll(context: Needs): Promise<number> {
  let linked = 0
  let after = ''
  // Ends: each round names tenants after those of the one before.
  for (;;) {
    const tenants = await tenantsWithUnlinked(context.database.system, after, tenantsAtOnce)
    for (const tenant of tenants) linked += await linkPortions(context, toTenantId(tenant), 'leave')
    const last = tenants.at(-1)
    if (tenants.length < tenantsAtOnce || last === undefined) return linked
    after = last
  }
}

async function linkPortions(context: Needs, tenantId: TenantId, whenBusy: 'wait' | 'leave'): Promise<number> {
  let linked = 0
  for (let round = 0; round < portionsAtOnce; round += 1) {
    const count = await linkPortion(context, tenantId, whenBusy)
    linked += count
    if (count < portion) break
  }
  return linked
}

function linkPortion(context: Needs, tenantId: TenantId, whenBusy: 'wait' | 'leave'): Promise<number> {
  return context.database.transaction(tenantId, async (db) => {
    const head = await lockChain(db, tenantId, Buffer.from(genesisHash, 'hex'), whenBusy)
    if (head === undefined) return 0
    const entries = await findUnlinked(db, tenantId, portion)
    let previous = head.hash.toString('hex')
    const links = entries.map((entry, index) => {
      const position = head.position + index + 1
      const createdAt = entry.created_at.toISOString()
      previous = entryHash(previous, { ...entry, tenant_id: tenantId, position, created_at: createdAt })
      return { entryId: entry.entry_id, position, hash: Buffer.from(previous, 'hex') }
    })
    const checkpointDueAt = checkpointDue(head.position + links.length, head, context.clock.now())
    await linkEntries(db, tenantId, links, checkpointDueAt)
    return links.length
  })
}

/** When a chain whose head has moved to `position` is to be signed at the latest. */
export function checkpointDue(position: number, head: Pick<ChainHead, 'signedPosition'>, now: Date): Date {
  return position - head.signedPosition >= entriesPerCheckpoint ? now : plusMs(now, checkpointAfterMs)
}
