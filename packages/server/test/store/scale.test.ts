import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import pg from 'pg'
import { tenantId } from '../../src/core/ids.ts'
import { dashboardLists, type DashboardList } from '../support/dashboard-lists.ts'
import { explaining, type Explained } from '../support/explained.ts'
import { addManyRows } from '../support/many-rows.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

const tenant = tenantId('large')
const connectors = 25_000
const events = 40_000
const deliveries = 80_000
/** However many rows there are: some pages of each of the pairs of provider and status that a tenant has. */
const mostLookedAt = 10_000
const large = ['connectors', 'events', 'audit_entries', 'webhook_deliveries']

let database: TestDatabase
let admin: pg.Client
let client: pg.Client
let lists: readonly DashboardList[]
before(async () => {
  database = await createTestDatabase()
  admin = new pg.Client({ connectionString: database.adminUrl })
  await admin.connect()
  await addManyRows(admin, { tenant, connectors, events, deliveries, countedAfterwards: true })
  await admin.query('vacuum analyze connectors, events, audit_entries, connector_counts, webhook_deliveries')
  client = new pg.Client({ connectionString: database.databaseUrl })
  await client.connect()
  const { rows } = await admin.query<{ space_id: string; collection_id: string }>(
    'select space_id, collection_id from connectors order by created_at limit 1',
  )
  const [row] = rows
  assert.ok(row)
  lists = dashboardLists({ spaceId: row.space_id, collectionId: row.collection_id }, new Date())
})
after(async () => {
  await client.end()
  await admin.end()
  await database.drop()
})

/** What a list took that it should not. */
async function excesses(mode: 'general' | 'fitting', list: DashboardList): Promise<readonly string[]> {
  const found: Explained[] = []
  const db = await explaining(client, tenant, mode, (explained) => void found.push(explained))
  await list.ask(db, tenant)
  assert.ok(found.length > 0)
  // How often a beginning is met is counted up to where it counts as often.
  const isBounded = (statement: string): boolean =>
    statement.endsWith('.count_prefixed') && list.name.includes('begins often')
  const judged = found.filter(({ statement }) => !isBounded(statement))
  return judged.flatMap(({ statement, wholeTables, lookedAt }) => [
    ...wholeTables.filter((table) => large.includes(table)).map((table) => `${list.name}: all of ${table}`),
    ...(lookedAt > mostLookedAt ? [`${list.name}: ${lookedAt} rows looked at by ${statement}`] : []),
  ])
}

it('reads no list of the dashboard by going over all rows', async () => {
  for (const list of lists) assert.deepEqual(await excesses('fitting', list), [])
})

it('reads lists of connectors well also by plans that fit every value', async () => {
  for (const list of lists.filter(({ name }) => name.startsWith('connectors'))) {
    assert.deepEqual(await excesses('general', list), [])
  }
})

it('would tell of an index that is not there', async () => {
  const about = (name: string) => lists.filter((list) => list.name === name)
  for (const [index, name] of [
    ['connectors_by_principal', 'connectors: person'],
    ['connectors_by_account_name', 'connectors: begins rarely'],
    ['events_by_category', 'events: category'],
    ['events_by_category', 'events: category, newest first'],
    ['audit_entries_by_action', 'audit: action'],
    ['audit_entries_by_action', 'audit: action, newest first'],
    ['webhook_deliveries_delivered', 'deliveries: all'],
    ['webhook_deliveries_delivered', 'deliveries: delivered, while half waits'],
    ['webhook_deliveries_dead', 'deliveries: given up'],
  ] as const) {
    await client.query('begin')
    await client.query(`drop index ${index}`)
    const [list] = about(name)
    assert.ok(list)
    assert.notEqual((await excesses('fitting', list)).length, 0, index)
    await client.query('rollback')
  }
})
