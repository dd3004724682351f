import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { tenantId } from '../../src/core/ids.ts'
import { linkDue } from '../../src/domain/link-audit.ts'
import { addEvent } from '../../src/store/events.ts'
import { until } from '../support/connectors.ts'
import { startStalledReader, writeLargeEvents } from '../support/stalled-reader.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { jsonOf, signed } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

interface Told {
  readonly id: string
  readonly event: string
  readonly data: { readonly resource_id: string; readonly created_at: string }
}

/** A reader of the stream, as a browser's EventSource reads it. */
interface Reader {
  readonly told: readonly Told[]
  /** What a browser would send as `Last-Event-ID`. */
  readonly lastEventId: string
  readonly isOver: boolean
  /** Everything, comments too. */
  readonly text: string
  close(): Promise<void>
}

async function read(query = '', options: { token?: string; lastEventId?: string } = {}): Promise<Reader> {
  const stop = new AbortController()
  const reply = await fetch(`${service.url}/v1/events/stream${query}`, {
    headers: {
      authorization: `Bearer ${options.token ?? (await service.token())}`,
      ...(options.lastEventId !== undefined && { 'last-event-id': options.lastEventId }),
    },
    signal: stop.signal,
  })
  assert.equal(reply.status, 200, await (reply.ok ? '' : reply.text()))
  assert.equal(reply.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  assert.equal(reply.headers.get('cache-control'), 'no-store')
  const told: Told[] = []
  let text = ''
  let rest = ''
  let isOver = false
  let lastEventId = options.lastEventId ?? ''
  const pump = async (): Promise<void> => {
    assert.ok(reply.body)
    for await (const piece of reply.body.pipeThrough(new TextDecoderStream())) {
      text += piece
      const blocks = (rest + piece).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const fields = new Map(
          block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
        )
        const { id = '', event = '', data } = Object.fromEntries(fields)
        if (id !== '') lastEventId = id
        if (data !== undefined) told.push({ id, event, data: JSON.parse(data) as Told['data'] })
      }
    }
  }
  const ended = pump()
    .catch(() => {})
    .then(() => {
      isOver = true
    })
  // The first bytes come once the stream knows where it begins.
  await until(() => text.includes('\nid: '))
  return {
    told,
    get lastEventId() {
      return lastEventId
    },
    get isOver() {
      return isOver
    },
    get text() {
      return text
    },
    async close() {
      stop.abort()
      await ended
    },
  }
}

const place = { space_id: spaceId, collection_id: collectionId }

async function happen(resourceId: string, more: { tenant?: string; space_id?: string } = {}): Promise<void> {
  const tenant = tenantId(more.tenant ?? 'acme')
  await addEvent(
    service.context.database.tenant(tenant),
    tenant,
    {
      eventType: 'connector.degraded',
      actorId: undefined,
      resourceType: 'connector',
      resourceId,
      place: { ...place, ...(more.space_id !== undefined && { space_id: more.space_id }) },
      metadata: {},
    },
    service.clock.now(),
  )
}

const idsOf = (reader: Reader) => reader.told.map((one) => one.data.resource_id)

describe('GET /v1/events/stream', () => {
  it('tells what happens from now on, with the list’s own body', async () => {
    await happen('before')
    const reader = await read()
    await happen('one')
    await happen('two')
    await linkDue(service.context)
    await until(() => reader.told.length === 2)
    await reader.close()
    assert.deepEqual(idsOf(reader), ['one', 'two'])
    assert.equal(reader.told[0]?.event, 'connector.degraded')
    const { data } = (await jsonOf(await service.call('GET', '/v1/events?resource_id=one'))) as { data: unknown[] }
    assert.deepEqual(reader.told[0]?.data, data[0])
  })

  it('goes on after Last-Event-ID, without loss and without a second time', async () => {
    const first = await read()
    for (const name of ['a', 'b', 'c']) await happen(name)
    await linkDue(service.context)
    await until(() => first.told.length === 3)
    await first.close()
    const lastEventId = first.told[1]?.id ?? ''
    await happen('d')
    const second = await read('', { lastEventId })
    await linkDue(service.context)
    await until(() => second.told.length === 2)
    await second.close()
    assert.deepEqual(idsOf(second), ['c', 'd'])
  })

  it('loses nothing to transactions that commit late, and breaks no order, over many reconnections', async () => {
    const clients = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const client = new pg.Client({ connectionString: service.database.adminUrl })
        await client.connect()
        return client
      }),
    )
    const seen: string[] = []
    let reader = await read('?category=stormy')
    const written = new AbortController()
    const write = async (client: pg.Client, writer: number): Promise<void> => {
      for (let index = 0; index < 25; index += 1) {
        await client.query('begin')
        const id = `w${writer}-${index}`
        // Of the moment it began, and committed later than others that began after it.
        await client.query(
          `with event as (
             insert into events (tenant_id, event_id, category, event_type, resource_type, resource_id, metadata, created_at)
             values ('acme', $1, 'stormy', 'stormy.weather', 'connector', $1, '{}', date_trunc('milliseconds', now())) returning *)
           insert into audit_entries (tenant_id, entry_id, action, resource_type, resource_id, metadata, created_at)
           select tenant_id, event_id, event_type, resource_type, resource_id, metadata, created_at from event`,
          [id],
        )
        await client.query('select pg_sleep($1)', [Math.random() / 50])
        await client.query('commit')
      }
    }
    const link = async (): Promise<void> => {
      while (!written.signal.aborted) await linkDue(service.context)
      await linkDue(service.context)
    }
    const reconnect = async (): Promise<void> => {
      while (!written.signal.aborted) {
        await until(() => reader.told.length > 3 || written.signal.aborted)
        await reader.close()
        seen.push(...idsOf(reader))
        reader = await read('?category=stormy', { lastEventId: reader.lastEventId })
      }
    }
    const others = [link(), reconnect()]
    await Promise.all(clients.map((client, writer) => write(client, writer)))
    written.abort()
    await Promise.all(others)
    await until(() => seen.length + reader.told.length >= 200)
    await reader.close()
    seen.push(...idsOf(reader))
    for (const client of clients) await client.end()
    assert.equal(seen.length, 200)
    assert.equal(new Set(seen).size, 200)
    const listed: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page = (await jsonOf(
        await service.call('GET', `/v1/events?category=stormy&limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`),
      )) as { data: { resource_id: string }[]; meta: { next_cursor: string | null } }
      listed.push(...page.data.map((one) => one.resource_id))
      cursor = page.meta.next_cursor
    }
    assert.deepEqual(seen, listed)
  })

  it('filters as the list does', async () => {
    const reader = await read('?resource_id=wanted')
    await happen('unwanted')
    await happen('wanted')
    await linkDue(service.context)
    await until(() => reader.told.length === 1)
    await reader.close()
    assert.deepEqual(idsOf(reader), ['wanted'])
  })

  it('tells a token of some spaces of those alone, and nobody of another tenant’s', async () => {
    const elsewhere = '123e4567-e89b-12d3-a456-4266141740ff'
    const token = await signed(service, { spaces: [elsewhere] })
    const reader = await read('', { token })
    await happen('not-here')
    await happen('not-ours', { tenant: 'globex', space_id: elsewhere })
    await happen('here', { space_id: elsewhere })
    await linkDue(service.context)
    await until(() => reader.told.length === 1)
    await reader.close()
    assert.deepEqual(idsOf(reader), ['here'])
  })

  it('ends when the bearer token does, and says so', async () => {
    const token = await signed(service, { exp: Math.ceil(Date.now() / 1000) + 1 })
    const reader = await read('', { token })
    await until(() => reader.isOver)
    assert.ok(reader.text.endsWith(': token expired\n\n'), reader.text)
  })

  it('ends with the bearer token even for somebody who does not read', async () => {
    const tenant = 'talkative'
    await writeLargeEvents(service.database.adminUrl, tenant)
    await linkDue(service.context)
    const lasting = await service.token({ sub: 'ada', tenant })
    const readers = await Promise.all(Array.from({ length: 19 }, () => read('', { token: lasting })))
    const token = await signed(service, { tenant_id: tenant, exp: Math.ceil(Date.now() / 1000) + 1 })
    using _reader = await startStalledReader(service.url, token)
    const oneMore = async (): Promise<number> => {
      const reply = await fetch(`${service.url}/v1/events/stream`, { headers: { authorization: `Bearer ${lasting}` } })
      await reply.body?.cancel()
      return reply.status
    }
    assert.equal(await oneMore(), 429)
    await until(async () => (await oneMore()) === 200)
    for (const reader of readers) await reader.close()
  })

  it('refuses a place that it never gave, and a token without the right to read', async () => {
    const token = await service.token()
    const ask = (headers: Record<string, string>) => fetch(`${service.url}/v1/events/stream`, { headers })
    const made = await ask({ authorization: `Bearer ${token}`, 'last-event-id': 'made-up' })
    assert.deepEqual([made.status, (await jsonOf(made))['code']], [400, 'invalid_cursor'])
    const narrow = await service.token({ scope: 'connectors:use' })
    const forbidden = await ask({ authorization: `Bearer ${narrow}` })
    assert.deepEqual([forbidden.status, (await jsonOf(forbidden))['code']], [403, 'missing_right'])
    assert.equal((await ask({})).status, 401)
  })

  it('lets one user open no more than twenty', async () => {
    const token = await service.token({ sub: 'collector' })
    const readers = await Promise.all(Array.from({ length: 20 }, () => read('', { token })))
    const reply = await service.call('GET', '/v1/events/stream', { token })
    assert.deepEqual([reply.status, (await jsonOf(reply))['code']], [429, 'too_many_streams'])
    for (const reader of readers) await reader.close()
    await until(async () => {
      const again = await fetch(`${service.url}/v1/events/stream`, { headers: { authorization: `Bearer ${token}` } })
      await again.body?.cancel()
      return again.status === 200
    })
  })
})
