/**
 * How long do the dashboard's lists take with a million connectors, ten million events and a million
 * deliveries to each of two webhooks?
 *
 *     node scripts/in-runtime.mjs bench/scale.ts <folder> [connectors] [events] [deliveries]
 *
 * Makes a PostgreSQL in the folder and fills it, or takes the one of the run before; then asks the service for each list
 * and PostgreSQL for what it did, and prints a table.
 */
import { chmod, mkdir } from 'node:fs/promises'
import pg from 'pg'
import { tenantId } from '../packages/server/src/core/ids.ts'
import { startEmbeddedPostgres } from '../packages/server/src/store/embedded-postgres.ts'
import { migrate } from '../packages/server/src/store/migrate.ts'
import { dashboardLists } from '../packages/server/test/support/dashboard-lists.ts'
import { explaining, type Explained } from '../packages/server/test/support/explained.ts'
import { addManyRows } from '../packages/server/test/support/many-rows.ts'
import { startService } from './measure/service.ts'

const [folder, connectors = '1000000', events = '10000000', deliveries = '1000000'] = process.argv.slice(2)
if (folder === undefined) throw new Error('Name a folder for the database')
const tenant = tenantId('acme')
const asks = 21

await mkdir(folder, { recursive: true })
// Run by root, PostgreSQL is another user, who has to get to its files.
await chmod(folder, 0o711)
const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_wal_size: '8GB' }
await using stack = new AsyncDisposableStack()
const cluster = await startEmbeddedPostgres({ dataDir: folder, log: console.error, settings })
stack.defer(() => cluster.stop())
await migrate(cluster.databaseUrl)
const admin = stack.adopt(new pg.Client(adminUrl()), (client) => client.end())
await admin.connect()
if ((await countOf('connectors')) === 0) await fill()
const client = stack.adopt(new pg.Client(cluster.databaseUrl), (open) => open.end())
await client.connect()
await measure()

function adminUrl(): string {
  const url = new URL(cluster.adminUrl)
  url.pathname = new URL(cluster.databaseUrl).pathname
  return url.href
}

async function countOf(table: string): Promise<number> {
  const { rows } = await admin.query<{ rows: number }>(`select count(*)::int as rows from ${table}`)
  return rows[0]?.rows ?? 0
}

/** Indexes are made once all rows are there. */
async function fill(): Promise<void> {
  const { rows: indexes } = await admin.query<{ name: string; definition: string }>(
    `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition
     from pg_index i
     join pg_class c on c.oid = i.indrelid
     where c.relname in ('connectors', 'events', 'audit_entries', 'webhook_deliveries') and not i.indisprimary`,
  )
  for (const { name } of indexes) await admin.query(`drop index ${name}`)
  const rows = {
    tenant,
    connectors: Number(connectors),
    events: Number(events),
    deliveries: Number(deliveries),
    countedAfterwards: true,
  } as const
  await timed('rows', () => addManyRows(admin, rows))
  await admin.query(`set maintenance_work_mem = '1GB'`)
  for (const { name, definition } of indexes) await timed(name, () => admin.query(definition))
  await timed('vacuum analyze', () => admin.query('vacuum analyze'))
}

async function timed(what: string, work: () => Promise<unknown>): Promise<void> {
  const began = performance.now()
  await work()
  console.error(`${what}: ${((performance.now() - began) / 1000).toFixed(1)} s`)
}

async function measure(): Promise<void> {
  await using service = await startService({ databaseUrl: cluster.databaseUrl })
  const token = await service.deployment.token({ tenant })
  const { rows } = await admin.query<{ space_id: string; collection_id: string }>(
    'select space_id, collection_id from connectors order by connector_id limit 1',
  )
  const [place] = rows
  if (place === undefined) throw new Error('There are no connectors')
  const counts = [await countOf('connectors'), await countOf('events'), await countOf('webhook_deliveries')]
  console.log(`${counts[0]} connectors, ${counts[1]} events, ${counts[2]} deliveries\n`)
  console.log('| List | first, ms | median, ms | in PostgreSQL, ms | rows looked at | indexes |')
  console.log('| --- | ---: | ---: | ---: | ---: | --- |')
  const lists = dashboardLists({ spaceId: place.space_id, collectionId: place.collection_id }, new Date())
  for (const list of lists) {
    const { name, path } = list
    const times: number[] = []
    for (let round = 0; round < asks; round += 1) {
      const began = performance.now()
      const reply = await service.call('GET', path, { token })
      await reply.text()
      if (reply.status !== 200) throw new Error(`${path}: ${reply.status}`)
      times.push(performance.now() - began)
    }
    const found: Explained[] = []
    await list.ask(await explaining(client, tenant, 'fitting', (explained) => void found.push(explained)), tenant)
    const median = times.toSorted((a, b) => a - b)[Math.floor(asks / 2)] ?? 0
    const ms = found.reduce((sum, one) => sum + one.ms, 0)
    const lookedAt = found.reduce((sum, one) => sum + one.lookedAt, 0)
    const ways = found.flatMap((one) => [...one.indexes, ...one.wholeTables.map((table) => `all of ${table}`)])
    const cells = [name, shown(times[0]), shown(median), shown(ms), String(lookedAt), [...new Set(ways)].join(', ')]
    console.log(`| ${cells.join(' | ')} |`)
  }
}

function shown(ms = 0): string {
  return ms < 10 ? ms.toFixed(1) : ms.toFixed(0)
}
