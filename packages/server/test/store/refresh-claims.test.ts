import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import pg from 'pg'
import { plusMs } from '../../src/core/clock.ts'
import type { Db } from '../../src/store/database.ts'
import { claimDueRefreshes } from '../../src/store/refresh-schedule.ts'
import { connectAccount } from '../support/consent.ts'
import { rows } from '../support/connectors.ts'
import { explaining, type Explained } from '../support/explained.ts'
import { startTestService, type TestService } from '../support/service.ts'

const now = new Date('2030-01-01T00:00:00Z')
const limits = { all: 64, ofContext: 10, ofTenant: 16 }
const contexts = 2_000

let service: TestService
before(async () => {
  service = await startTestService()
  const id = await connectAccount(service)
  const copied = await rows(
    service,
    `select string_agg(column_name, ', ') as names
     from information_schema.columns
     where table_name = 'connectors' and is_generated = 'NEVER'
       and column_name not in ('connector_id', 'context_id', 'next_refresh_at')`,
  )
  const names = String(copied[0]?.['names'])
  await rows(
    service,
    `insert into connectors (connector_id, context_id, next_refresh_at, ${names})
     select 'conn_' || n, 'ctx_' || n % ${contexts}, $2::timestamptz + interval '1 hour', ${names}
     from connectors, generate_series(1, 10000) n
     where connector_id = $1`,
    [id, now],
  )
  await rows(service, 'delete from connectors where connector_id = $1', [id])
  await rows(service, 'analyze connectors')
})
after(() => service[Symbol.asyncDispose]())

const claim = (rooms: ReadonlyMap<string, number> = new Map()) =>
  service.context.database.systemTransaction((db) =>
    claimDueRefreshes(db, now, plusMs(now, 60_000), {
      afterContext: 'ctx_5',
      limits,
      rooms,
      roomsOfTenants: new Map(),
    }),
  )

it('costs next to nothing where nothing is due, however many contexts there are', async () => {
  const client = new pg.Client({ connectionString: service.database.databaseUrl })
  await client.connect()
  try {
    const explained: Explained[] = []
    const db = await explaining(client, 'acme', 'fitting', (each) => explained.push(each))
    let last: Promise<unknown> = Promise.resolve()
    const oneByOne: Db = {
      query: (statement, values) => {
        const next = last.then(() => db.query<never>(statement, values))
        last = next
        return next
      },
    }
    // What is set for the transaction counts in it alone.
    await client.query('begin')
    const claimed = await claimDueRefreshes(oneByOne, now, plusMs(now, 60_000), {
      afterContext: 'ctx_5',
      limits,
      rooms: new Map(),
      roomsOfTenants: new Map(),
    })
    await client.query('rollback')
    assert.deepEqual(claimed, [])
    const claiming = explained.find(({ statement }) => statement === 'refresh.claim_due')
    assert.ok(claiming)
    assert.deepEqual(claiming.wholeTables, [])
    assert.ok(claiming.lookedAt < 10, `it looked at ${claiming.lookedAt} rows`)
  } finally {
    await client.end()
  }
})

it('finds what is due behind all that waits for contexts without room', async () => {
  await rows(service, `update connectors set next_refresh_at = $1 where context_id <> 'ctx_7'`, [plusMs(now, -120_000)])
  await rows(service, `update connectors set next_refresh_at = $1 where context_id = 'ctx_7'`, [plusMs(now, -1_000)])
  const all = Array.from({ length: contexts }, (_, index) => `ctx_${index}`)
  const shut = new Map(all.filter((name) => name !== 'ctx_7').map((name) => [name, 0]))
  const claimed = await claim(shut)
  assert.deepEqual(
    claimed.map((row) => row.context_id),
    Array.from({ length: 5 }, () => 'ctx_7'),
  )
  assert.deepEqual(await claim(shut), [])
})

it('takes of contexts beyond the oldest as well where much is due', async () => {
  // More of one context than a look takes in.
  await rows(service, `update connectors set context_id = 'ctx_0', next_refresh_at = $1 where context_id < 'ctx_2'`, [
    plusMs(now, -300_000),
  ])
  const found = new Set((await claim()).map((row) => row.context_id))
  assert.ok(found.size > 1, `all of ${[...found].join()}`)
})
