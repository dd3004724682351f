import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { DatabaseUnavailable } from '../../src/core/database-unavailable.ts'
import { tenantId } from '../../src/core/ids.ts'
import { BatchingSocket } from '../../src/store/batching-socket.ts'
import { lookup, openDatabase, statement, type Database } from '../../src/store/database.ts'
import { startCuttableProxy, type CuttableProxy } from '../support/cuttable-proxy.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

let testDatabase: TestDatabase
let proxy: CuttableProxy
let database: Database

// Without a condition on purpose: only row-level security stands between the tenants here.
const all = lookup('test.all', 'select tenant_id, uri from redirect_uris')
const fail = lookup('test.fail', 'select 1 / $1::int as never')
const moment = lookup('test.moment', 'select gen_random_uuid() as moment, $1::text as asked')
const put = statement('test.put', `insert into redirect_uris (tenant_id, uri, kind) values ($1, $2, 'landing')`)

interface Row {
  readonly tenant_id: string
  readonly uri: string
}

const tenants = Array.from({ length: 7 }, (_, index) => tenantId(`tenant-${index}`))

before(async () => {
  testDatabase = await createTestDatabase()
  proxy = await startCuttableProxy(testDatabase.databaseUrl)
  database = openDatabase(proxy.url, { poolSize: 2 })
  for (const tenant of tenants) await database.tenant(tenant).query(put, [tenant, 'https://one.example'])
})
after(async () => {
  await database.close()
  await proxy[Symbol.asyncDispose]()
  await testDatabase.drop()
})

/** Whatever tenants saw of others, of many lookups sent at once. */
async function strangersSeen(on: Database): Promise<readonly string[]> {
  const seen = await Promise.all(
    Array.from({ length: 600 }, async (_, index) => {
      const tenant = tenants[(index * 5 + Math.floor(index / 3)) % tenants.length] ?? tenantId('none')
      if (index % 11 === 0) await assert.rejects(on.tenant(tenant).query(fail, [0]), { code: '22012' })
      if (index % 13 === 0) await on.system.query(all, [])
      const rows = await on.tenant(tenant).query<Row>(all, [])
      return rows.length === 1 && rows[0]?.tenant_id === tenant ? [] : [`${tenant} saw ${JSON.stringify(rows)}`]
    }),
  )
  return seen.flat()
}

describe('lookups', () => {
  afterEach(() => proxy.mend())

  it('never show one tenant’s rows to another, though all share two connections', async () => {
    const connections = proxy.connections
    assert.deepEqual(await strangersSeen(database), [])
    assert.ok(proxy.connections - connections <= 2)
  })

  it('would be seen to leak if they ran with whatever reach the connection has', async () => {
    assert.notDeepEqual(await strangersSeen({ ...database, tenant: () => database.system }), [])
  })

  it('see what was written just before', async () => {
    const tenant = tenantId('writes-and-reads')
    for (let index = 0; index < 20; index += 1) {
      await database.tenant(tenant).query(put, [tenant, `https://${index}.example`])
      assert.equal((await database.tenant(tenant).query(all, [])).length, index + 1)
    }
  })

  it('see what was written just before, whoever else asks the same all the time', async () => {
    const tenant = tenantId('hot')
    const writing = new AbortController()
    const ask = async (): Promise<void> => {
      while (!writing.signal.aborted) await database.tenant(tenant).query(all, [])
    }
    const others = Array.from({ length: 32 }, ask)
    for (let index = 0; index < 100; index += 1) {
      await database.tenant(tenant).query(put, [tenant, `https://${index}.example`])
      assert.equal((await database.tenant(tenant).query(all, [])).length, index + 1)
    }
    writing.abort()
    await Promise.all(others)
  })

  it('share an answer when the same is asked at the same time, and never with another tenant or another question', async () => {
    const [one = tenantId(''), two = tenantId('')] = tenants
    const ask = async (tenant: typeof one, asked: string): Promise<string | undefined> => {
      const rows = await database.tenant(tenant).query<{ moment: string }>(moment, [asked])
      return rows[0]?.moment
    }
    const [first, same, foreign, other] = await Promise.all([
      ask(one, 'a'),
      ask(one, 'a'),
      ask(two, 'a'),
      ask(one, 'b'),
    ])
    assert.equal(first, same)
    assert.equal(new Set([first, foreign, other, await ask(one, 'a')]).size, 4)
  })

  it('hand out nothing under a reach that could not be set, and work on', async () => {
    for (let round = 0; round < 4; round += 1) {
      const [one = tenantId('')] = tenants
      // PostgreSQL takes no NUL in text, so the reach stays what it was: that of the tenant before.
      const unsettable = tenantId(`tenant-0\0${round}`)
      const [earlier, under, alsoUnder, next] = await Promise.allSettled([
        database.tenant(one).query<Row>(all, []),
        database.tenant(unsettable).query(all, []),
        database.tenant(unsettable).query(all, []),
        database.tenant(one).query<Row>(all, []),
      ])
      assert.equal(under.status, 'rejected')
      assert.equal(alsoUnder.status, 'rejected')
      for (const outcome of [earlier, next]) {
        if (outcome.status === 'fulfilled')
          assert.deepEqual(
            outcome.value.map((row) => row.tenant_id),
            [one],
          )
        else assert.ok(outcome.reason instanceof DatabaseUnavailable)
      }
      assert.equal((await database.tenant(one).query(all, [])).length, 1)
    }
  })

  it('are told as DatabaseUnavailable while the database is away, and work once it is back', async () => {
    const [one = tenantId('')] = tenants
    await database.tenant(one).query(all, [])
    const underway = Array.from({ length: 50 }, () => database.tenant(one).query(all, []))
    proxy.cut()
    for (const outcome of await Promise.allSettled(underway)) {
      if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof DatabaseUnavailable)
    }
    for (let round = 0; round < 5; round += 1) {
      await assert.rejects(database.tenant(one).query(all, []), DatabaseUnavailable)
    }
    proxy.mend()
    assert.equal((await database.tenant(one).query(all, [])).length, 1)
  })

  it('run on the transaction’s own connection inside of one', async () => {
    const tenant = tenantId('inside')
    await database.transaction(tenant, async (db) => {
      await db.query(put, [tenant, 'https://inside.example'])
      assert.equal((await db.query(all, [])).length, 1)
      assert.equal((await database.tenant(tenant).query(all, [])).length, 0)
    })
  })
})

describe('a batching socket', () => {
  it('sends in one go what was written in one turn', async () => {
    const sent: number[] = []
    class Recording extends BatchingSocket {
      override _writev(chunks: { chunk: unknown }[], done: (error?: Error | null) => void): void {
        sent.push(chunks.length)
        done()
      }
    }
    const socket = new Recording()
    const statementOf = (parts: number): void => {
      socket.cork()
      for (let part = 0; part < parts; part += 1) socket.write('x')
      socket.uncork()
    }
    statementOf(3)
    statementOf(2)
    assert.deepEqual(sent, [])
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(sent, [5])
    statementOf(2)
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(sent, [5, 2])
    socket.destroy()
  })
})
