import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { Pool } from 'undici'
import { startInstantProvider, type InstantProvider } from '../support/instant-provider.ts'
import { addProvider, connectedId, connectorsPath, depart, returnWithBearer } from '../support/process-flow.ts'
import { deploymentOf, type Deployment, type ServiceProcess } from '../support/service-process.ts'
import { sized } from '../support/size.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

const processCount = 4
const readers = 1_000
const rounds = sized(8, 50)
/** What a caller behind a load balancer does: another process, or the same one after a moment. */
const triesOfReader = 200

let database: TestDatabase
let admin: pg.Client
let provider: InstantProvider
let deployment: Deployment
let processes: readonly ServiceProcess[]
let pools: readonly Pool[]
let bearer: string
let slug: string

before(async () => {
  database = await createTestDatabase()
  admin = new pg.Client({ connectionString: database.adminUrl })
  await admin.connect()
  provider = await startInstantProvider()
  deployment = deploymentOf(database.databaseUrl, { ALLOWED_PRIVATE_HOSTS: provider.server.host, LOG_LEVEL: 'warn' })
  processes = await Promise.all(Array.from({ length: processCount }, () => deployment.start()))
  pools = processes.map((process) => new Pool(process.url, { connections: 250 }))
  bearer = await deployment.token()
  slug = (await addProvider(nth(0), { ...provider.definition, refresh_rotates: true })).slug
})
after(async () => {
  for (const pool of pools) await pool.destroy()
  for (const process of processes) await process[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
  await admin.end()
  await database.drop()
})

function nth(index: number): ServiceProcess {
  const process = processes[index % processCount]
  assert.ok(process)
  return process
}

async function connect(connectorId: string): Promise<void> {
  const departure = await depart(nth(0), slug, { connector_id: connectorId })
  assert.equal(await connectedId(await returnWithBearer(nth(0), provider.consent(departure))), connectorId)
}

/** What one reader ends up with. */
interface Reading {
  readonly status: number
  readonly body: { readonly data?: { readonly access_token: string }; readonly code?: string }
}

/** Reads until there is an answer that a caller can act upon; a broken connection and a 503 mean: try again. */
async function read(connectorId: string, index: number): Promise<Reading> {
  for (let attempt = 0; attempt < triesOfReader; attempt += 1) {
    const pool = pools[(index + attempt) % processCount]
    assert.ok(pool)
    const reading = await readOnce(pool, connectorId)
    if (reading !== undefined && reading.status !== 503) return reading
    await wait(50 + Math.random() * 100)
  }
  throw new Error('A reader never got an answer')
}

async function readOnce(pool: Pool, connectorId: string): Promise<Reading | undefined> {
  try {
    const reply = await pool.request({
      method: 'POST',
      path: `${connectorsPath}/${connectorId}/token`,
      headers: { authorization: `Bearer ${bearer}` },
    })
    return { status: reply.statusCode, body: (await reply.body.json()) as Reading['body'] }
  } catch {
    return undefined
  }
}

async function expire(connectorId: string): Promise<void> {
  await admin.query(
    `update connectors set access_token_expires_at = now() - interval '1 second' where connector_id = $1`,
    [connectorId],
  )
}

async function stateOf(connectorId: string): Promise<{ health: string; status_reason: string | null }> {
  const { rows } = await admin.query<{ health: string; status_reason: string | null }>(
    'select health, status_reason from connectors where connector_id = $1',
    [connectorId],
  )
  assert.ok(rows[0])
  return rows[0]
}

/** No living process takes this long to store what the provider, after 400 ms at most, has answered. */
const longestRefreshMs = 2_500

/**
 * Until the readers are done: lets a dead process's lease end at once, which otherwise takes half a minute. A lease
 * belongs to the dead when it has not moved for longer than any living process needs.
 */
async function letLeasesOfTheDeadEnd(connectorId: string, done: AbortSignal): Promise<void> {
  let seenFence: number | undefined
  while (!done.aborted) {
    const { rows } = await admin.query<{ refresh_fence: number }>(
      'select refresh_fence from connectors where connector_id = $1 and refresh_lease_ends_at > now()',
      [connectorId],
    )
    const fence = rows[0]?.refresh_fence
    if (fence !== undefined && fence === seenFence) {
      await admin.query(
        `update connectors set refresh_lease_ends_at = now() - interval '1 second'
         where connector_id = $1 and refresh_fence = $2 and refresh_lease_ends_at is not null`,
        [connectorId, fence],
      )
    }
    seenFence = fence
    await wait(longestRefreshMs, undefined, { signal: done }).catch(() => {})
  }
}

describe('a thousand readers of one expired token, over four processes', () => {
  it('get one new token for one refresh', async () => {
    await connect('calm')
    await expire('calm')
    provider.behave({ replyAfterMs: 300 })
    const refreshesBefore = provider.refreshes
    const readings = await Promise.all(Array.from({ length: readers }, (_, index) => read('calm', index)))
    assert.deepEqual(new Set(readings.map((reading) => reading.status)), new Set([200]))
    assert.equal(new Set(readings.map((reading) => reading.body.data?.access_token)).size, 1)
    assert.equal(provider.refreshes - refreshesBefore, 1)
    assert.equal(provider.reuses, 0)
  })

  it('are never answered with a dead family, whichever process is killed at whichever moment', async (t) => {
    const tally = { refreshed: 0, inDoubt: 0 }
    for (let round = 0; round < rounds; round += 1) {
      const id = `storm-${round}`
      await connect(id)
      await expire(id)
      provider.behave({ replyAfterMs: Math.random() * 400 })
      const refreshesBefore = provider.refreshes
      const readings = Promise.all(Array.from({ length: readers }, (_, index) => read(id, index)))
      await wait(Math.random() * 500)
      const victim = nth(Math.floor(Math.random() * processCount))
      await victim.kill('SIGKILL')
      const settled = new AbortController()
      const watching = letLeasesOfTheDeadEnd(id, settled.signal)
      await victim.restart()
      const ends = await readings
      settled.abort()
      await watching
      const sent = provider.refreshes - refreshesBefore
      const { health, status_reason: reason } = await stateOf(id)
      if (health === 'active') {
        assert.equal(sent, 1, `round ${round}`)
        assert.equal(new Set(ends.map((end) => end.body.data?.access_token)).size, 1, `round ${round}`)
        tally.refreshed += 1
      } else {
        assert.deepEqual([health, reason], ['reauth_required', 'refresh_outcome_unknown'], `round ${round}`)
        // Sent at most once: the spent token is never shown again.
        assert.ok(sent <= 1, `round ${round}`)
        for (const end of ends) assert.deepEqual([end.status, end.body.code], [409, 'reauth_required'])
        await connect(id)
        assert.equal((await read(id, 0)).status, 200)
        tally.inDoubt += 1
      }
      assert.equal(provider.reuses, 0, `round ${round}`)
    }
    t.diagnostic(`${tally.refreshed} rounds refreshed, ${tally.inDoubt} ended in doubt`)
    assert.equal(tally.refreshed + tally.inDoubt, rounds)
  })
})
