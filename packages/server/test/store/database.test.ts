import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { DatabaseUnavailable } from '../../src/core/database-unavailable.ts'
import { tenantId } from '../../src/core/ids.ts'
import { openDatabase, statement, type Database } from '../../src/store/database.ts'
import { startCuttableProxy, type CuttableProxy } from '../support/cuttable-proxy.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

let testDatabase: TestDatabase
let proxy: CuttableProxy
let database: Database

before(async () => {
  testDatabase = await createTestDatabase()
  proxy = await startCuttableProxy(testDatabase.databaseUrl)
  database = openDatabase(proxy.url, { poolSize: 2 })
})
after(async () => {
  await database.close()
  await proxy[Symbol.asyncDispose]()
  await testDatabase.drop()
})

// Without a condition on purpose: only row-level security stands between the tenants here.
const all = statement('test.all', 'select tenant_id, uri from redirect_uris')
const put = statement('test.put', `insert into redirect_uris (tenant_id, uri, kind) values ($1, $2, 'landing')`)
const remove = statement('test.remove', 'delete from redirect_uris where tenant_id = $1 and uri = $2')
const fail = statement('test.fail', 'select 1 / $1::int as never')
const reachNow = statement('test.reach', `select current_setting('connector_oauth.reach', true) as reach`)

const tenants = Array.from({ length: 7 }, (_, index) => tenantId(`tenant-${index}`))

/** A pick that a seed repeats. */
function picker(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

/** Does everything at once on few connections, and answers whatever a tenant saw of others. */
async function mixedLoad(on: Database, operations: number): Promise<readonly string[]> {
  const pick = picker(7)
  const strangers: string[] = []
  const look = async (db: Pick<Database['system'], 'query'>, tenant: string): Promise<void> => {
    const rows = await db.query<{ tenant_id: string }>(all, [])
    for (const row of rows) if (row.tenant_id !== tenant) strangers.push(`${tenant} saw ${row.tenant_id}`)
    if (rows.length === 0) strangers.push(`${tenant} saw nothing`)
  }
  const operate = async (): Promise<void> => {
    const tenant = tenants[pick(tenants.length)] ?? tenantId('none')
    const db = on.tenant(tenant)
    switch (pick(6)) {
      case 0:
        await on.system.query(all, [])
        return
      case 1:
        await assert.rejects(db.query(fail, [0]))
        return
      case 2:
        await assert.rejects(
          on.transaction(tenant, async (inside) => {
            await look(inside, tenant)
            await inside.query(fail, [0])
          }),
        )
        return look(db, tenant)
      case 3:
        return on.transaction(tenant, async (inside) => {
          await look(inside, tenant)
          await look(inside, tenant)
        })
      case 4:
        await Promise.all([look(db, tenant), look(db, tenant)])
        return
      default:
        return look(db, tenant)
    }
  }
  await Promise.all(Array.from({ length: operations }, operate))
  return strangers
}

describe('reach', () => {
  before(async () => {
    for (const tenant of tenants) await database.tenant(tenant).query(put, [tenant, 'https://one.example'])
  })

  it('never leaks between tenants that share two connections under load', async () => {
    assert.deepEqual(await mixedLoad(database, 600), [])
    assert.ok(proxy.connections <= 2)
  })

  it('would be seen to leak if statements ran with whatever reach the connection has', async () => {
    const leaking: Database = { ...database, tenant: () => database.system }
    assert.notDeepEqual(await mixedLoad(leaking, 60), [])
  })

  it('is the tenant’s own after a transaction that failed', async () => {
    const [one = tenantId(''), two = tenantId('')] = tenants
    for (let round = 0; round < 4; round += 1) {
      await assert.rejects(database.transaction(one, (db) => db.query(fail, [0])))
      assert.deepEqual(await database.tenant(two).query(reachNow, []), [{ reach: `=${two}` }])
      assert.deepEqual(await database.tenant(one).query(reachNow, []), [{ reach: `=${one}` }])
    }
  })
})

describe('a transaction', () => {
  const tenant = tenantId('transactions')

  it('is undone when its work throws, and the error comes through', async () => {
    const error = new Error('changed my mind')
    const work = database.transaction(tenant, async (db) => {
      await db.query(put, [tenant, 'https://undone.example'])
      throw error
    })
    await assert.rejects(work, (thrown) => thrown === error)
    assert.deepEqual(await database.tenant(tenant).query(all, []), [])
  })

  it('is undone when a statement fails, and its connection works on', async () => {
    for (let round = 0; round < 5; round += 1) {
      const work = database.transaction(tenant, async (db) => {
        await db.query(put, [tenant, 'https://undone.example'])
        await db.query(put, [tenant, 'https://undone.example'])
      })
      await assert.rejects(work, { code: '23505' })
    }
    assert.deepEqual(await database.tenant(tenant).query(all, []), [])
  })

  it('is not taken for done when work swallows the failure of a statement in it', async () => {
    const [owner, next] = [tenants[0] ?? tenantId('t'), tenants[1] ?? tenantId('u')]
    const swallowing = database.transaction(owner, async (db) => {
      await db.query(put, [owner, 'https://swallowed.example/'])
      await db.query(fail, [0]).catch(() => undefined)
    })
    await assert.rejects(swallowing, /rolled back/)
    for (let index = 0; index < 4; index += 1) {
      assert.deepEqual(await database.tenant(next).query(reachNow, []), [{ reach: `=${next}` }])
      const uris = (await database.tenant(owner).query<{ uri: string }>(all, [])).map((row) => row.uri)
      assert.ok(!uris.includes('https://swallowed.example/'))
    }
  })

  it('shows nothing to others until it ends, and everything after', async () => {
    await database.transaction(tenant, async (db) => {
      await db.query(put, [tenant, 'https://kept.example'])
      assert.deepEqual(await database.tenant(tenant).query(all, []), [])
    })
    assert.equal((await database.tenant(tenant).query(all, [])).length, 1)
    await database.tenant(tenant).query(remove, [tenant, 'https://kept.example'])
  })

  it('may not write for another tenant', async () => {
    const work = database.transaction(tenant, (db) => db.query(put, [tenants[0], 'https://foreign.example']))
    await assert.rejects(work, { code: '42501' })
  })
})

describe('a database that is away', () => {
  const tenant = tenantId('outages')
  afterEach(() => proxy.mend())

  it('is told as DatabaseUnavailable, and used again once it is back', async () => {
    await database.ping()
    proxy.cut()
    // Again and again: neither stale connections nor failed attempts may fill the pool.
    for (let round = 0; round < 5; round += 1) {
      await assert.rejects(database.ping(), DatabaseUnavailable)
      await assert.rejects(database.tenant(tenant).query(all, []), DatabaseUnavailable)
      await assert.rejects(
        database.transaction(tenant, async () => {}),
        DatabaseUnavailable,
      )
    }
    proxy.mend()
    await database.ping()
    assert.deepEqual(await database.tenant(tenant).query(reachNow, []), [{ reach: `=${tenant}` }])
  })

  it('undoes a transaction in whose midst it went', async () => {
    const work = database.transaction(tenant, async (db) => {
      await db.query(put, [tenant, 'https://lost.example'])
      proxy.cut()
      await db.query(put, [tenant, 'https://never.example'])
    })
    await assert.rejects(work, DatabaseUnavailable)
    proxy.mend()
    assert.deepEqual(await database.tenant(tenant).query(all, []), [])
  })

  it('does not take statements that run down with it for ever', async () => {
    const slow = statement('test.slow', 'select pg_sleep(5)')
    const running = assert.rejects(database.tenant(tenant).query(slow, []), DatabaseUnavailable)
    await database.ping()
    proxy.cut()
    await running
  })

  it('is told when the server ends the session itself', async () => {
    const suicide = statement('test.suicide', 'select pg_terminate_backend(pg_backend_pid())')
    await assert.rejects(database.tenant(tenant).query(suicide, []), DatabaseUnavailable)
    await database.ping()
  })

  it('is told when nothing listens at its address', async () => {
    const nowhere = openDatabase('postgres://nobody@127.0.0.1:1/none')
    await assert.rejects(nowhere.ping(), DatabaseUnavailable)
    await nowhere.close()
  })
})

it('knows whether row-level security binds its role', async () => {
  const superuser = openDatabase(testDatabase.adminUrl)
  assert.equal(await superuser.isBoundByRowSecurity(), false)
  assert.equal(await database.isBoundByRowSecurity(), true)
  await superuser.close()
})
