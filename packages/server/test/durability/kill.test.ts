import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { startInstantProvider, type InstantProvider } from '../support/instant-provider.ts'
import {
  accessTokenOf,
  addProvider,
  completeParked,
  connectorsPath,
  connectedId,
  depart,
  departByTicket,
  park,
  readToken,
  returnWithBearer,
  type Steps,
} from '../support/process-flow.ts'
import { deploymentOf, type Deployment, type ServiceProcess } from '../support/service-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

let database: TestDatabase
let provider: InstantProvider
let deployment: Deployment
let service: ServiceProcess
let slug: string

before(async () => {
  database = await createTestDatabase()
  provider = await startInstantProvider()
  deployment = deploymentOf(database.databaseUrl, { ALLOWED_PRIVATE_HOSTS: provider.server.host })
  service = await deployment.start()
  slug = (await addProvider(service, provider.definition)).slug
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
  await database.drop()
})

async function count(text: string): Promise<number> {
  const client = new pg.Client({ connectionString: database.adminUrl })
  await client.connect()
  try {
    return Number((await client.query<{ n: string }>(`select count(*) as n from ${text}`)).rows[0]?.n)
  } finally {
    await client.end()
  }
}

/** What one user saw of one authorization. */
interface Attempt {
  callback?: URL
  /** Finishes again with the same code, as a browser's reload or a thief would. */
  replay?: () => Promise<Response>
  connectorId?: string
}

describe('kill -9 in the midst of running authorizations', () => {
  const authorizations = 200
  const killAfter = [40, 90, 140]
  const attempts: Attempt[] = []

  /** While it starts anew it says so; to its users that is one more broken connection. */
  const steps: Steps = {
    get url() {
      return service.url
    },
    async call(...request) {
      const reply = await service.call(...request)
      if (reply.status === 503) throw new TypeError('Not ready yet')
      return reply
    },
  }

  /** A step that the kill broke off; whoever is broken off begins again with a new state. */
  async function attempt(byTicket: boolean): Promise<boolean> {
    const record: Attempt = {}
    attempts.push(record)
    try {
      if (byTicket) {
        const { sessionId, cookie, location } = await departByTicket(steps, slug)
        const callback = provider.consent(location)
        record.callback = callback
        record.replay = () => returnWithBearer(steps, callback)
        const code = await park(steps, callback, cookie)
        assert.ok(code, 'a young state was refused')
        record.replay = () => completeParked(steps, slug, sessionId, code)
      } else {
        const callback = provider.consent(await depart(steps, slug))
        record.callback = callback
        record.replay = () => returnWithBearer(steps, callback)
      }
      const reply = await record.replay()
      const id = await connectedId(reply)
      assert.ok(id, `answered ${reply.status}`)
      record.connectorId = id
      return true
    } catch (error) {
      // The connection broke: the process was killed. Any answer that is not good fails the test.
      if (error instanceof TypeError) return false
      throw error
    }
  }

  it('loses nothing that was acknowledged', async () => {
    let begun = 0
    let done = 0
    const kills = [...killAfter]
    const lives: Promise<unknown>[] = []
    const user = async (): Promise<void> => {
      while (begun < authorizations) {
        begun += 1
        const byTicket = begun % 2 === 0
        while (!(await attempt(byTicket))) await service.ready()
        done += 1
        if (kills[0] !== undefined && done >= kills[0]) {
          kills.shift()
          lives.push(service.kill('SIGKILL').then(() => service.restart()))
        }
      }
    }
    await Promise.all(Array.from({ length: 20 }, user))
    await Promise.all(lives)
    assert.equal(kills.length, 0)
    assert.ok(attempts.length > authorizations, 'no kill met a running authorization')
    const acknowledged = attempts.flatMap(({ connectorId }) => connectorId ?? [])
    assert.equal(new Set(acknowledged).size, authorizations)
    for (const id of acknowledged) {
      assert.ok(provider.knows(await accessTokenOf(await readToken(service, id))), `${id} lost its token`)
    }
  })

  it('lets no state work twice, whatever the kill met', async () => {
    const redeemedBefore = new Map(provider.redemptions)
    const connectorsBefore = await count('connectors')
    let newlyConnected = 0
    for (const { replay, connectorId } of attempts) {
      if (replay === undefined) continue
      const status = (await replay()).status
      if (connectorId !== undefined) assert.notEqual(status, 200, 'a finished state worked again')
      else if (status === 200) newlyConnected += 1
      assert.notEqual((await replay()).status, 200, 'a state worked twice')
    }
    for (const times of provider.redemptions.values()) assert.equal(times, 1, 'a code was sent twice')
    for (const { callback, connectorId } of attempts) {
      const code = callback?.searchParams.get('code') ?? ''
      if (connectorId !== undefined) assert.equal(redeemedBefore.get(code), 1)
    }
    assert.equal(await count('connectors'), connectorsBefore + newlyConnected)
    assert.equal(await count(`transactions where status = 'connected'`), await count('connectors'))
    assert.equal(await count(`events where event_type = 'connector.connected'`), await count('connectors'))
  })
})

describe('SIGTERM', () => {
  it('lets a callback in flight finish, then ends with 0', async () => {
    const callback = provider.consent(await depart(service, slug))
    provider.behave({ replyAfterMs: 500, lifetimeSeconds: 5 })
    const asked = provider.nextTokenRequest()
    const answer = returnWithBearer(service, callback)
    await asked
    const toldAt = Date.now()
    const ended = service.kill('SIGTERM')
    const id = await connectedId(await answer)
    assert.ok(id, 'the request in flight was cut off')
    assert.deepEqual(await ended, { code: 0, signal: null })
    assert.ok(Date.now() - toldAt < 20_000, 'a connection kept alive held up the end')
    provider.behave({ replyAfterMs: 0, lifetimeSeconds: 3600 })
    await service.restart()
    assert.ok(provider.knows(await accessTokenOf(await readToken(service, id, '?min_ttl=0'))))
  })

  it('stores a refresh in flight even when its caller has gone', async () => {
    provider.behave({ lifetimeSeconds: 5 })
    const id = await connectedId(await returnWithBearer(service, provider.consent(await depart(service, slug))))
    assert.ok(id)
    provider.behave({ replyAfterMs: 500, lifetimeSeconds: 3600 })
    const refreshesBefore = provider.refreshes
    const asked = provider.nextTokenRequest()
    const gone = new AbortController()
    const reading = fetch(`${service.url}${connectorsPath}/${id}/token`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await deployment.token()}` },
      signal: gone.signal,
    })
    // Before it rejects, so that nobody calls the rejection unhandled.
    const brokenOff = assert.rejects(reading)
    await asked
    gone.abort()
    await brokenOff
    assert.deepEqual(await service.kill('SIGTERM'), { code: 0, signal: null })
    provider.behave({ replyAfterMs: 0 })
    await service.restart()
    assert.ok(provider.knows(await accessTokenOf(await readToken(service, id))))
    assert.equal(provider.refreshes, refreshesBefore + 1)
    assert.equal(provider.reuses, 0)
  })
})
