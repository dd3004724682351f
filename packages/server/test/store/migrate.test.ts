import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { after, before, beforeEach, describe, it } from 'node:test'
import pg from 'pg'
import { migrate } from '../../src/store/migrate.ts'
import { deploymentOf } from '../support/service-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

const known = (await readdir(new URL('../../migrations/', import.meta.url)))
  .filter((name) => name.endsWith('.sql'))
  .toSorted()

let database: TestDatabase
let admin: pg.Client

before(async () => {
  database = await createTestDatabase()
  admin = new pg.Client({ connectionString: database.adminUrl })
  await admin.connect()
})
after(async () => {
  await admin.end()
  await database.drop()
})

/** Takes the database back to where nothing was ever migrated, in the hands of the service's role. */
beforeEach(async () => {
  const owner = new URL(database.databaseUrl).username
  await admin.query(`drop schema public cascade; create schema public authorization ${owner}`)
})

const adminRole = () => new URL(database.adminUrl).username

async function applied(): Promise<readonly string[]> {
  const { rows } = await admin.query<{ name: string }>('select name from migrations order by name')
  return rows.map((row) => row.name)
}

describe('migrate', () => {
  it('applies every migration once, in order, and nothing the next time', async () => {
    assert.deepEqual((await migrate(database.databaseUrl)).applied, known)
    assert.deepEqual((await migrate(database.databaseUrl)).applied, [])
    assert.deepEqual(await applied(), known)
  })

  it('takes turns when many start at once', async () => {
    const runs = await Promise.all(Array.from({ length: 8 }, () => migrate(database.databaseUrl)))
    assert.deepEqual(
      runs.flatMap((run) => run.applied),
      known,
    )
  })

  it('takes turns among four processes', async () => {
    const deployment = deploymentOf(database.databaseUrl)
    await Promise.all(Array.from({ length: 4 }, () => deployment.command('migrate')))
    assert.deepEqual(await applied(), known)
  })

  it('refuses a database that a newer version has migrated, and changes nothing', async () => {
    await migrate(database.databaseUrl)
    await admin.query(`insert into migrations (name) values ('9999_future.sql')`)
    await assert.rejects(migrate(database.databaseUrl), /newer version \(9999_future\.sql\)/)
    assert.deepEqual(await applied(), [...known, '9999_future.sql'])
    // The service ends instead of trying for ever.
    await assert.rejects(deploymentOf(database.databaseUrl, { PORT: '0' }).command('serve'), /ended with 1/)
  })

  it('undoes a migration that fails, and applies it once the reason has gone', async () => {
    const user = new URL(database.databaseUrl).username
    await admin.query(`create table revocations (); alter table revocations owner to ${user}`)
    await assert.rejects(migrate(database.databaseUrl), /Migration 0001_connect\.sql failed/)
    assert.deepEqual(await applied(), [])
    const { rows } = await admin.query(`select to_regclass('connectors') as found`)
    assert.deepEqual(rows, [{ found: null }])
    await admin.query('drop table revocations')
    assert.deepEqual((await migrate(database.databaseUrl)).applied, known)
  })

  it('says what an administrator has to do when the role may not create the schema for jobs', async () => {
    const { username, pathname } = new URL(database.databaseUrl)
    const name = pathname.slice(1)
    await admin.query(`drop schema pgboss cascade; alter database ${name} owner to ${adminRole()}`)
    await assert.rejects(migrate(database.databaseUrl), new RegExp(`create schema pgboss authorization ${username}`))
    await admin.query(`create schema pgboss authorization ${username}`)
    await migrate(database.databaseUrl)
    const { rows } = await admin.query(`select to_regclass('pgboss.job') is not null as found`)
    assert.deepEqual(rows, [{ found: true }])
    await admin.query(`alter database ${name} owner to ${username}`)
  })
})
