import { entryHash, genesisHash } from '../core/audit-entry.ts'
import { plusMs } from '../core/clock.ts'
import { DatabaseUnavailable } from '../core/database-unavailable.ts'
import { tenantId as toTenantId, type TenantId } from '../core/ids.ts'
import {
  findUnlinked,
  linkEntries,
  lockChains,
  moveChainHeads,
  tenantsWithUnlinked,
  type ChainHead,
} from '../store/audit-chain.ts'
import type { Db } from '../store/database.ts'
import type { Context } from './context.ts'
import { signDue } from './sign-checkpoint.ts'

/** One transaction links no more, or little more, so that nobody waits long for a chain. */
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
  return linkPortions(context, (work) => context.database.transaction(tenantId, work), [tenantId], 'wait')
}

/**
 * Links what waits, of every tenant, and signs the checkpoints that are due. Several processes may run it: a chain that one
 * works on the others leave alone.
 */
export async function linkDue(context: LinkerNeeds): Promise<number> {
  const { linked, failures } = await linkAll(context)
  const signed = await signDue(context)
  if (failures.length > 0) throw failures[0]
  return linked + signed
}

async function linkAll(context: Needs): Promise<Linked> {
  let linked = 0
  let after = ''
  const failures: unknown[] = []
  const link = (tenants: readonly string[]) =>
    linkPortions(context, (work) => context.database.systemTransaction(work), tenants.map(toTenantId), 'leave')
  // Ends: each round names tenants after those of the one before.
  for (;;) {
    const tenants = await tenantsWithUnlinked(context.database.system, after, tenantsAtOnce)
    linked += await link(tenants).catch(async (error: unknown) => {
      if (error instanceof DatabaseUnavailable) throw error
      // One tenant's trouble must not hold up the others' records.
      const outcomes = await eachAlone(tenants, link)
      failures.push(...outcomes.failures)
      return outcomes.linked
    })
    const last = tenants.at(-1)
    if (tenants.length < tenantsAtOnce || last === undefined) break
    after = last
  }
  return { linked, failures }
}

/** How many entries were linked, and what kept some tenants' from being. */
interface Linked {
  readonly linked: number
  readonly failures: readonly unknown[]
}

async function eachAlone(
  tenants: readonly string[],
  link: (tenants: readonly string[]) => Promise<number>,
): Promise<Linked> {
  let linked = 0
  const failures: unknown[] = []
  for (const tenant of tenants) {
    try {
      linked += await link([tenant])
    } catch (error) {
      if (error instanceof DatabaseUnavailable) throw error
      failures.push(error)
    }
  }
  return { linked, failures }
}

type InTransaction = <T>(work: (db: Db) => Promise<T>) => Promise<T>

async function linkPortions(
  context: Needs,
  inTransaction: InTransaction,
  tenants: readonly TenantId[],
  whenBusy: 'wait' | 'leave',
): Promise<number> {
  let linked = 0
  let unfinished = tenants
  for (let round = 0; round < portionsAtOnce && unfinished.length > 0; round += 1) {
    const ofEach = Math.ceil(portion / unfinished.length)
    const counts = await inTransaction((db) => linkPortion(context, db, unfinished, ofEach, whenBusy))
    for (const count of counts.values()) linked += count
    unfinished = unfinished.filter((tenant) => (counts.get(tenant) ?? 0) >= ofEach)
  }
  return linked
}

/** How many entries of each tenant it linked. */
async function linkPortion(
  context: Needs,
  db: Db,
  tenants: readonly TenantId[],
  ofEach: number,
  whenBusy: 'wait' | 'leave',
): Promise<ReadonlyMap<string, number>> {
  const heads = await lockChains(db, tenants, Buffer.from(genesisHash, 'hex'), whenBusy)
  const entries = await findUnlinked(db, [...heads.keys()], ofEach)
  if (entries.length === 0) return new Map()
  const now = context.clock.now()
  const chains = [...Map.groupBy(entries, (entry) => entry.tenant_id)].map(([tenant, ofTenant]) => {
    // Entries were asked for of those tenants only.
    const head = heads.get(tenant) as ChainHead
    let previous = head.hash.toString('hex')
    const links = ofTenant.map((entry, index) => {
      const position = head.position + index + 1
      previous = entryHash(previous, { ...entry, position, created_at: entry.created_at.toISOString() })
      return { tenantId: tenant, entryId: entry.entry_id, position, hash: Buffer.from(previous, 'hex') }
    })
    const position = head.position + links.length
    const hash = Buffer.from(previous, 'hex')
    return { links, head: { tenantId: tenant, position, hash, checkpointDueAt: checkpointDue(position, head, now) } }
  })
  await Promise.all([
    linkEntries(
      db,
      chains.flatMap(({ links }) => links),
    ),
    moveChainHeads(
      db,
      chains.map(({ head }) => head),
    ),
  ])
  return new Map(chains.map(({ head, links }) => [head.tenantId, links.length]))
}

/** When a chain whose head has moved to `position` is to be signed at the latest. */
export function checkpointDue(position: number, head: Pick<ChainHead, 'signedPosition'>, now: Date): Date {
  return position - head.signedPosition >= entriesPerCheckpoint ? now : plusMs(now, checkpointAfterMs)
}
