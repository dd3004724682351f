import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { DataFolderError } from '../../src/store/data-folder.ts'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/store/embedded-postgres.ts'

const settings = { fsync: 'off' }
const module = fileURLToPath(new URL('../../src/store/embedded-postgres.ts', import.meta.url))

let folder: string
let lines: string[]

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'connector-oauth-embedded-'))
  // Run by root, the server is another user.
  await chmod(folder, 0o711)
})
after(() => rm(folder, { recursive: true, force: true }))

function start(dataDir = folder): Promise<EmbeddedPostgres> {
  lines = []
  return startEmbeddedPostgres({ dataDir, log: (line) => void lines.push(line), settings })
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

/** Another process that starts the same database and says its address. */
async function startElsewhere(): Promise<{ process: ChildProcess; databaseUrl: string }> {
  const text = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(module)})
    const database = await startEmbeddedPostgres({
      dataDir: ${JSON.stringify(folder)}, log: () => {}, settings: ${JSON.stringify(settings)},
    })
    process.on('SIGTERM', () => database.stop().then(() => process.exit(0)))
    console.log(database.databaseUrl)
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', text], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { process: child, databaseUrl: line.toString().trim() }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

async function serverPid(): Promise<number> {
  const text = await readFile(path.join(folder, 'postgres-18', 'cluster', 'postmaster.pid'), 'utf8')
  return Number(text.split('\n')[0])
}

async function isRunning(): Promise<boolean> {
  return serverPid().then(
    () => true,
    () => false,
  )
}

/** The driver's view: asks until the database answers; the time limit of the test bounds it. */
async function untilItAnswers(url: string): Promise<void> {
  for (;;) {
    try {
      return void (await query(url, 'select 1'))
    } catch {
      await wait(20)
    }
  }
}

describe('embedded PostgreSQL', { timeout: 120_000 }, () => {
  it('gives the service a role that row-level security binds, and that owns its database', async () => {
    const database = await start()
    try {
      const [role] = await query(
        database.databaseUrl,
        `select current_user as name, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,
                (select pg_get_userbyid(datdba) from pg_database where datname = current_database()) as owner
         from pg_roles where rolname = current_user`,
      )
      assert.deepEqual(role, {
        name: 'connector_oauth',
        rolsuper: false,
        rolbypassrls: false,
        rolcreaterole: false,
        rolcreatedb: false,
        owner: 'connector_oauth',
      })
      const rows = await query(
        database.databaseUrl,
        `create table guarded (id int);
         insert into guarded values (1);
         alter table guarded enable row level security;
         alter table guarded force row level security`,
      ).then(() => query(database.databaseUrl, 'select * from guarded'))
      assert.deepEqual(rows, [])
    } finally {
      await database.stop()
    }
  })

  it('listens on the loopback interface alone, takes passwords, and sorts the same everywhere', async () => {
    const database = await start()
    try {
      const [row] = await query(
        database.adminUrl,
        `select current_setting('listen_addresses') as listens, current_setting('unix_socket_directories') as sockets,
                current_setting('password_encryption') as passwords, current_setting('server_encoding') as encoding,
                (select datlocale from pg_database where datname = 'connector_oauth') as locale,
                (select bool_and(auth_method = 'scram-sha-256') from pg_hba_file_rules) as all_scram`,
      )
      assert.deepEqual(row, {
        listens: '127.0.0.1',
        sockets: '',
        passwords: 'scram-sha-256',
        encoding: 'UTF8',
        locale: 'C.UTF-8',
        all_scram: true,
      })
      const wrong = new URL(database.databaseUrl)
      wrong.password = 'wrong'
      await assert.rejects(query(wrong.href, 'select 1'), { code: '28P01' })
    } finally {
      await database.stop()
    }
  })

  it('keeps its secret from other users', async () => {
    const database = await start()
    await database.stop()
    const home = path.join(folder, 'postgres-18')
    assert.equal((await stat(path.join(home, 'secret'))).mode & 0o777, 0o600)
    assert.equal((await stat(path.join(home, 'cluster'))).mode & 0o777, 0o700)
    assert.equal((await stat(home)).mode & 0o066, 0)
  })

  it('never runs the server as root', async () => {
    const database = await start()
    try {
      const status = await readFile(`/proc/${await serverPid()}/status`, 'utf8')
      assert.doesNotMatch(status, /^Uid:\s+0\b/m)
    } finally {
      await database.stop()
    }
  })

  it('ends the server with the last process that uses it', async () => {
    const database = await start()
    const other = await startElsewhere()
    assert.equal(other.databaseUrl, database.databaseUrl)
    await database.stop()
    assert.ok(lines.includes('PostgreSQL keeps running for another process'))
    await query(other.databaseUrl, 'select 1')
    await end(other.process, 'SIGTERM')
    assert.equal(await isRunning(), false)
  })

  it('adopts the server of a process that was killed', async () => {
    const killed = await startElsewhere()
    const pid = await serverPid()
    await end(killed.process, 'SIGKILL')
    const database = await start()
    assert.equal(database.databaseUrl, killed.databaseUrl)
    assert.equal(await serverPid(), pid)
    await database.stop()
    assert.equal(await isRunning(), false)
  })

  it('keeps what was committed when both processes are killed', async () => {
    const killed = await startElsewhere()
    await query(killed.databaseUrl, 'create table kept (id int); insert into kept values (42)')
    process.kill(await serverPid(), 'SIGKILL')
    await end(killed.process, 'SIGKILL')
    const database = await start()
    try {
      assert.deepEqual(await query(database.databaseUrl, 'select id from kept'), [{ id: 42 }])
    } finally {
      await database.stop()
    }
  })

  it('starts a server that dies again, under the same address', async () => {
    const database = await start()
    const pid = await serverPid()
    process.kill(pid, 'SIGKILL')
    await untilItAnswers(database.databaseUrl)
    assert.notEqual(await serverPid(), pid)
    await database.stop()
    assert.equal(await isRunning(), false)
  })

  it('starts although the process number in an old postmaster.pid belongs to another process now', async () => {
    const database = await start()
    const file = path.join(folder, 'postgres-18', 'cluster', 'postmaster.pid')
    const text = await readFile(file, 'utf8')
    await database.stop()
    await writeFile(file, text.replace(/^\d+/, String(process.pid)))
    const again = await start()
    await again.stop()
  })

  it('creates one cluster and one server when several processes start first at once', async () => {
    const fresh = path.join(folder, 'fresh')
    const databases = await Promise.all([start(fresh), start(fresh), start(fresh)])
    assert.equal(new Set(databases.map((database) => database.databaseUrl)).size, 1)
    await Promise.all(databases.map((database) => database.stop()))
    await assert.rejects(stat(path.join(fresh, 'postgres-18', 'cluster', 'postmaster.pid')), { code: 'ENOENT' })
  })

  it('names DATA_DIR when the folder cannot be used', async () => {
    const file = path.join(folder, 'a-file')
    await writeFile(file, '')
    await assert.rejects(start(path.join(file, 'data')), (error: unknown) => {
      assert.ok(error instanceof DataFolderError)
      assert.match(error.message, /DATA_DIR .*a-file\/data cannot be used by .* \(ENOTDIR\).* DATABASE_URL/)
      return true
    })
  })
})
