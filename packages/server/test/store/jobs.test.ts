import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import pg from 'pg'
import { tenantId } from '../../src/core/ids.ts'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { openJobs, type Jobs } from '../../src/store/jobs.ts'
import { startCuttableProxy } from '../support/cuttable-proxy.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { until } from '../support/connectors.ts'

/** Longer than any test here: only wakes and looks that a test asks for set anything off. */
const never = 3_600_000
const tenant = tenantId('acme')

let testDatabase: TestDatabase
let database: Database
const open: Jobs<string>[] = []

before(async () => {
  testDatabase = await createTestDatabase()
  database = openDatabase(testDatabase.databaseUrl)
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((jobs) => jobs.stop()))
})
after(async () => {
  await database.close()
  await testDatabase.drop()
})

/** As a process of its own would: its own connections. */
function jobsOf(queue: string, databaseUrl = testDatabase.databaseUrl): Jobs<string> {
  const jobs = openJobs({ databaseUrl, queues: [queue] })
  open.push(jobs)
  return jobs
}

/** Works off a queue and waits until the first look, that of the start, is over. */
async function working(jobs: Jobs<string>, queue: string, run: () => Promise<void>, everyMs = never): Promise<void> {
  let runs = 0
  const counted = async (): Promise<'done'> => {
    runs += 1
    if (runs > 1) await run()
    return 'done'
  }
  await jobs.work([{ queue, everyMs, run: counted }], () => {})
  await until(() => runs > 0)
}

/** A run that the test holds open. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { passed: promise, open: resolve }
}

describe('a wake', () => {
  it('sets off a run well under a second after its commit', async () => {
    const jobs = jobsOf('latency')
    let runs = 0
    await working(jobs, 'latency', async () => void (runs += 1))
    const delays: number[] = []
    for (let round = 1; round <= 20; round += 1) {
      await database.transaction(tenant, (db) => jobs.wake(db, 'latency'))
      const committed = performance.now()
      await until(() => runs >= round)
      delays.push(performance.now() - committed)
    }
    delays.sort((a, b) => a - b)
    assert.ok((delays[10] ?? Infinity) < 500, `median ${delays[10]} ms`)
  })

  it('wakes nobody when its transaction is rolled back', async () => {
    const jobs = jobsOf('rolled-back')
    let runs = 0
    await working(jobs, 'rolled-back', async () => void (runs += 1))
    const undone = database.transaction(tenant, async (db) => {
      await jobs.wake(db, 'rolled-back')
      throw new Error('undone')
    })
    await assert.rejects(undone, /undone/)
    // A later one is heard, and it is the first.
    await jobs.wake(database.tenant(tenant), 'rolled-back')
    await until(() => runs > 0)
    assert.equal(runs, 1)
  })

  it('that comes a thousand times leads to a handful of runs', async () => {
    const jobs = jobsOf('thousand')
    const first = gate()
    let runs = 0
    await working(jobs, 'thousand', async () => {
      runs += 1
      if (runs === 1) await first.passed
    })
    await jobs.wake(database.tenant(tenant), 'thousand')
    await until(() => runs === 1)
    for (let round = 0; round < 100; round += 1) {
      await Promise.all(Array.from({ length: 10 }, () => jobs.wake(database.tenant(tenant), 'thousand')))
    }
    first.open()
    await until(() => runs >= 2)
    await until(async () => (await waiting('thousand')) === 0)
    assert.ok(runs <= 3, `${runs} runs`)
  })

  it('that comes while a run is under way leads to another run, even if it commits later than others', async () => {
    const jobs = jobsOf('late')
    const held = gate()
    let runs = 0
    await working(jobs, 'late', async () => void (runs += 1))
    // This one is not committed yet when the next one's run begins and ends.
    const late = database.transaction(tenant, async (db) => {
      await jobs.wake(db, 'late')
      await held.passed
    })
    await jobs.wake(database.tenant(tenant), 'late')
    await until(() => runs === 1)
    held.open()
    await late
    await until(() => runs === 2)
  })

  it('never waits for another transaction that wakes the same workers', async () => {
    const jobs = jobsOf('side-by-side')
    await jobs.start(() => {})
    const held = gate()
    const first = database.transaction(tenant, async (db) => {
      await jobs.wake(db, 'side-by-side')
      await held.passed
    })
    await database.transaction(tenant, (db) => jobs.wake(db, 'side-by-side'))
    held.open()
    await first
    assert.equal(await waiting('side-by-side'), 2)
  })
})

describe('work', () => {
  it('is done by one process at a time', async () => {
    const processes = [jobsOf('alone'), jobsOf('alone'), jobsOf('alone')]
    let atOnce = 0
    let most = 0
    let runs = 0
    const run = async (): Promise<'done'> => {
      runs += 1
      atOnce += 1
      most = Math.max(most, atOnce)
      await new Promise((resolve) => setTimeout(resolve, 20))
      atOnce -= 1
      return 'done'
    }
    await Promise.all(processes.map((jobs) => jobs.work([{ queue: 'alone', everyMs: never, run }], () => {})))
    for (let round = 0; round < 10; round += 1) {
      const runsBefore = runs
      await Promise.all(processes.map((jobs) => jobs.wake(database.tenant(tenant), 'alone')))
      await until(() => runs > runsBefore)
    }
    assert.equal(most, 1)
  })

  it('is looked for now and then although nobody was woken', async () => {
    let runs = 0
    const look = { queue: 'looked-for', everyMs: 1_000, run: async () => ((runs += 1), 'done' as const) }
    await jobsOf('looked-for').work([look], () => {})
    await until(() => runs >= 3)
  })

  it('that does not fit into one turn goes on in the next', async () => {
    let left = 3
    const run = async () => ((left -= 1) > 0 ? ('more' as const) : ('done' as const))
    await jobsOf('long').work([{ queue: 'long', everyMs: never, run }], () => {})
    await until(() => left === 0)
  })

  it('that runs is waited for at the end, and none begins after it', async () => {
    const jobs = jobsOf('ending')
    const held = gate()
    let ended = 0
    await working(jobs, 'ending', async () => {
      await held.passed
      ended += 1
    })
    await jobs.wake(database.tenant(tenant), 'ending')
    await until(async () => (await active('ending')) === 1)
    let isStopped = false
    const stopping = jobs.stop().then(() => (isStopped = true))
    const sender = jobsOf('ending')
    await sender.start(() => {})
    await sender.wake(database.tenant(tenant), 'ending')
    assert.equal(isStopped, false)
    held.open()
    await stopping
    assert.equal(ended, 1)
    assert.equal(await waiting('ending'), 1, 'left to another process')
  })

  it('goes on once a database that was away is back, and the process lives', async () => {
    await using proxy = await startCuttableProxy(testDatabase.databaseUrl)
    const jobs = jobsOf('away', proxy.url)
    let runs = 0
    let troubles = 0
    const look = { queue: 'away', everyMs: 1_000, run: async () => ((runs += 1), 'done' as const) }
    await jobs.work([look], () => void (troubles += 1))
    await until(() => runs > 0)
    proxy.cut()
    await until(() => troubles > 0)
    const runsBefore = runs
    proxy.mend()
    // A job whose end could not be told is given up when its heartbeat stays away.
    const deadline = Date.now() + 20_000
    const isDone = (): boolean => runs > runsBefore || Date.now() > deadline
    while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 50))
    assert.ok(runs > runsBefore)
  })
})

async function waiting(queue: string): Promise<number> {
  return count(queue, 'created')
}

async function active(queue: string): Promise<number> {
  return count(queue, 'active')
}

async function count(queue: string, state: string): Promise<number> {
  const client = new pg.Client({ connectionString: testDatabase.adminUrl })
  await client.connect()
  try {
    const { rows } = await client.query<{ n: number }>(
      'select count(*)::int as n from pgboss.job where name = $1 and state::text = $2',
      [queue, state],
    )
    return rows[0]?.n ?? 0
  } finally {
    await client.end()
  }
}
