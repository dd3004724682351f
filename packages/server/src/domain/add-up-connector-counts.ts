import { tenantId } from '../core/ids.ts'
import { addUpCounts, tenantsToAddUp } from '../store/connector-counts.ts'
import type { Context } from './context.ts'

const tenantsAtOnce = 100
const portion = 10_000
/** What a bulk import leaves takes several rounds, so that one tenant does not hold up the others. */
const portionsAtOnce = 10

/** Adds up the changes of every tenant's counts of connectors, so that reading them stays short. */
export async function addUpConnectorCounts(context: Pick<Context, 'database'>): Promise<void> {
  let after = ''
  // Ends: each round names tenants after those of the one before.
  for (;;) {
    const tenants = await tenantsToAddUp(context.database.system, after, tenantsAtOnce)
    for (const tenant of tenants) await addUpTenant(context, tenant)
    const last = tenants.at(-1)
    if (tenants.length < tenantsAtOnce || last === undefined) return
    after = last
  }
}

async function addUpTenant(context: Pick<Context, 'database'>, tenant: string): Promise<void> {
  const id = tenantId(tenant)
  const db = context.database.tenant(id)
  for (let round = 0; round < portionsAtOnce; round += 1) {
    if ((await addUpCounts(db, id, portion)) < portion) return
  }
}
