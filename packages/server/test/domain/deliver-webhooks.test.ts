import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { tenantId } from '../../src/core/ids.ts'
import { deliverDue } from '../../src/domain/deliver-webhooks.ts'
import { linkDue } from '../../src/domain/link-audit.ts'
import { addEvent } from '../../src/store/events.ts'
import { rows, until } from '../support/connectors.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { startWebhookReceiver, type Received, type WebhookReceiver } from '../support/webhook-receiver.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

let service: TestService
let receiver: WebhookReceiver
/** Each test has a tenant of its own. */
let tenant: string
let tenants = 0

before(async () => {
  receiver = await startWebhookReceiver()
  service = await startTestService({ env: { ALLOWED_PRIVATE_HOSTS: receiver.host } })
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})
beforeEach(() => {
  tenants += 1
  tenant = `tenant-${tenants}`
  receiver.answer(() => 204)
})

interface Hook {
  readonly id: string
  readonly secret: string
}

async function api(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const token = await service.token({ tenant })
  const reply = await service.call(method, `/v1/admin/webhooks${path}`, { token, ...(body !== undefined && { body }) })
  const text = await reply.text()
  assert.ok(reply.ok, text)
  return text === '' ? {} : (JSON.parse(text) as { data: Record<string, unknown> }).data
}

async function addHook(more: Readonly<Record<string, unknown>> = {}): Promise<Hook> {
  return (await api('POST', '', { url: receiver.url, ...more })) as unknown as Hook
}

async function happen(resourceId: string, eventType = 'connector.degraded'): Promise<void> {
  const id = tenantId(tenant)
  await addEvent(
    service.context.database.tenant(id),
    id,
    {
      eventType,
      actorId: undefined,
      resourceType: 'connector',
      resourceId,
      place: { space_id: spaceId, collection_id: collectionId },
      metadata: {},
    },
    service.clock.now(),
  )
}

/** One round of the background work: linking, then delivering until nothing is due. */
async function round(): Promise<void> {
  await linkDue(service.context)
  for (let turn = 0; turn < 50 && (await deliverDue(service.context)) > 0; turn += 1) await settled()
}

const settled = () => service.context.webhookTurns.settled()

/** What this test's tenant got. */
const ours = () => receiver.received.filter((one) => one.body.includes(`"tenant_id":"${tenant}"`))
const taken = () => ours().filter((one) => one.answered === 204)

async function eventIds(): Promise<readonly string[]> {
  const found = await rows(
    service,
    `select event_id from events where tenant_id = $1 and event_type like 'connector.%' order by position`,
    [tenant],
  )
  return found.map((row) => String(row['event_id']))
}

/** Each event once, and those of one connector in their order. */
async function assertExactlyOnceInOrder(messages: readonly Received[]): Promise<void> {
  const expected = await eventIds()
  const ids = messages.map((one) => one.id)
  assert.deepEqual(ids.toSorted(), [...expected].toSorted())
  for (const [resource, own] of Map.groupBy(messages, (one) => one.resourceId)) {
    const order = own.map((one) => expected.indexOf(one.id))
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
      resource,
    )
  }
}

describe('webhooks', () => {
  for (const change of [{ enabled: false }, { url: 'https://elsewhere.example/hook' }]) {
    it(`get nothing more by the old settings once they are changed (${Object.keys(change).join()})`, async () => {
      const hook = await addHook()
      for (let index = 0; index < 5; index += 1) await happen('conn-1')
      const held = Promise.withResolvers<number>()
      let arrived = 0
      receiver.answer(() => {
        arrived += 1
        return held.promise
      })
      await linkDue(service.context)
      await deliverDue(service.context)
      await until(() => arrived === 1)
      await api('PATCH', `/${hook.id}`, change)
      held.resolve(204)
      await settled()
      assert.equal(ours().length, 1)
      await api('DELETE', `/${hook.id}`)
    })
  }

  it('bring an event as Standard Webhooks has it, which the public library verifies', async () => {
    const hook = await addHook()
    await happen('conn-1')
    await round()
    const [message] = taken()
    assert.ok(message)
    const headers = message.headers as Record<string, string>
    const payload = new Webhook(hook.secret).verify(message.body, headers) as { type: string; data: { id: string } }
    assert.equal(payload.type, 'connector.degraded')
    assert.equal(payload.data.id, message.id)
    assert.throws(() => new Webhook(hook.secret).verify(message.body.replace('conn-1', 'conn-2'), headers))
    assert.throws(() => new Webhook(hook.secret).verify(message.body, { ...headers, 'webhook-id': 'evt_other' }))
    const other = await addHook()
    assert.throws(() => new Webhook(other.secret).verify(message.body, headers))
  })

  it('reach a receiver that was down for a day: each event once, in order per connector', async () => {
    await addHook()
    receiver.answer((message) => (message.resourceId.endsWith('3') ? undefined : 503))
    for (let step = 0; step < 144; step += 1) {
      for (let one = 0; one < 3; one += 1) await happen(`conn-${(step * 3 + one) % 20}`)
      await round()
      service.clock.advance(10 * minuteMs)
    }
    // The trouble is the endpoint's, so it is asked now and then, and not once for every event.
    assert.ok(ours().length < 60, `${ours().length} attempts in a day`)
    assert.equal(taken().length, 0)
    receiver.answer(() => 204)
    service.clock.advance(2 * 60 * minuteMs)
    await round()
    await assertExactlyOnceInOrder(taken())
    assert.equal(taken().length, 144 * 3)
  })

  it('come once and in order while eight workers deliver at the same time', async () => {
    await addHook()
    for (let index = 0; index < 200; index += 1) await happen(`conn-${index % 7}`)
    await linkDue(service.context)
    const workers: Promise<number>[] = []
    // The others come while the first is in the midst of it.
    receiver.answer(() => {
      if (workers.length < 8 && ours().length % 10 === 5) workers.push(deliverDue(service.context))
      return 204
    })
    workers.push(deliverDue(service.context))
    await until(async () => {
      await round()
      return taken().length >= 200
    })
    await Promise.all(workers)
    await settled()
    assert.equal(workers.length, 8)
    await assertExactlyOnceInOrder(taken())
  })

  it('of one connector that the receiver cannot take hold up no other’s', async () => {
    await addHook()
    receiver.answer((message) => (message.resourceId === 'poison' ? 500 : 204))
    for (let index = 0; index < 30; index += 1) await happen(index % 3 === 0 ? 'poison' : `conn-${index}`)
    for (let step = 0; step < 12; step += 1) {
      await round()
      service.clock.advance(minuteMs)
    }
    assert.equal(taken().length, 20)
    const refused = ours().filter((one) => one.resourceId === 'poison')
    // Nothing of that connector overtakes its first event.
    assert.equal(new Set(refused.map((one) => one.id)).size, 1)
    receiver.answer(() => 204)
    service.clock.advance(60 * minuteMs)
    await round()
    await assertExactlyOnceInOrder(taken())
  })

  it('wait as long as the receiver asks', async () => {
    await addHook()
    receiver.answer(() => 429, { 'retry-after': '7200' })
    await happen('conn-1')
    await round()
    receiver.answer(() => 204)
    service.clock.advance(119 * minuteMs)
    await round()
    assert.equal(ours().length, 1)
    service.clock.advance(2 * minuteMs)
    await round()
    assert.equal(taken().length, 1)
  })

  it('that nobody takes for three days are dead, and can be replayed under the same id', async () => {
    const hook = await addHook()
    receiver.answer((message) => (message.resourceId === 'poison' ? 500 : 204))
    await happen('poison')
    for (let step = 0; step < 4 * 24; step += 1) {
      await round()
      service.clock.advance(60 * minuteMs)
      // Others go through, so the endpoint itself is well.
      await happen('healthy')
    }
    const listed = async (status: string): Promise<readonly Record<string, unknown>[]> => {
      const token = await service.token({ tenant })
      const reply = await service.call('GET', `/v1/admin/webhooks/${hook.id}/deliveries?status=${status}`, { token })
      return ((await reply.json()) as { data: Record<string, unknown>[] }).data
    }
    const [dead] = await listed('dead')
    assert.ok(dead)
    assert.deepEqual([dead['resource_id'], dead['next_attempt_at']], ['poison', null])
    const log = dead['attempt_log'] as { status: number }[]
    assert.equal(log.length, 20)
    assert.equal(log.at(-1)?.status, 500)
    receiver.answer(() => 204)
    const eventId = String(dead['event_id'])
    assert.deepEqual(await api('POST', `/${hook.id}/deliveries/${eventId}/replay`), { replayed: 1 })
    await round()
    assert.equal(taken().filter((one) => one.id === eventId).length, 1)
    assert.deepEqual(await listed('dead'), [])
  })

  it('switch an endpoint off that took nothing for five days, and go on where it stopped when it is on again', async () => {
    const hook = await addHook()
    receiver.answer(() => 500)
    for (let step = 0; step < 6 * 24; step += 1) {
      await happen('conn-1')
      await round()
      service.clock.advance(60 * minuteMs)
    }
    const off = await api('GET', `/${hook.id}`)
    assert.deepEqual([off['enabled'], off['disabled_reason']], [false, 'failing'])
    const told = await rows(service, `select event_type from events where tenant_id = $1 and resource_id = $2`, [
      tenant,
      hook.id,
    ])
    assert.deepEqual(told, [{ event_type: 'webhook.disabled' }])
    const sentBefore = ours().length
    service.clock.advance(dayMs)
    await happen('conn-1')
    await round()
    assert.equal(ours().length, sentBefore)
    receiver.answer(() => 204)
    assert.equal((await api('PATCH', `/${hook.id}`, { enabled: true }))['disabled_reason'], null)
    await round()
    const expected = await eventIds()
    assert.equal(
      taken()
        .filter((one) => one.type.startsWith('connector.'))
        .at(-1)?.id,
      expected.at(-1),
    )
  })

  it('end at once where the receiver says that it is gone', async () => {
    const hook = await addHook()
    receiver.answer(() => 410)
    await happen('conn-1')
    await round()
    const off = await api('GET', `/${hook.id}`)
    assert.deepEqual([off['enabled'], off['disabled_reason']], [false, 'gone'])
  })

  it('are signed with both secrets until a rotation’s overlap ends', async () => {
    const hook = await addHook()
    const rotated = (await api('POST', `/${hook.id}/rotate-secret`, { overlap_seconds: 3600 })) as unknown as Hook
    assert.notEqual(rotated.secret, hook.secret)
    await happen('conn-1')
    await round()
    // The library holds a message to the present, so it is given the moment that the clock of this test shows.
    const verifies = (secret: string, message: Received | undefined): boolean => {
      assert.ok(message)
      const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': given } = message.headers
      const expected = new Webhook(secret).sign(String(id), new Date(Number(at) * 1000), message.body)
      return String(given).split(' ').includes(expected)
    }
    assert.deepEqual([verifies(hook.secret, taken()[0]), verifies(rotated.secret, taken()[0])], [true, true])
    service.clock.advance(61 * minuteMs)
    await happen('conn-1')
    await round()
    assert.deepEqual([verifies(hook.secret, taken()[1]), verifies(rotated.secret, taken()[1])], [false, true])
  })

  it('bring only the types that were asked for', async () => {
    await addHook({ event_types: ['connector.revoked', 'token.*'] })
    for (const type of [
      'connector.degraded',
      'connector.revoked',
      'token.refreshed',
      'token.exported',
      'sync.failed',
    ]) {
      await happen('conn-1', type)
    }
    await round()
    assert.deepEqual(
      taken().map((one) => one.type),
      ['connector.revoked', 'token.refreshed', 'token.exported'],
    )
  })

  it('follow no redirect and answer no other tenant’s events', async () => {
    await addHook()
    receiver.answer(() => 302, { location: receiver.url.replace('/hook', '/elsewhere') })
    await happen('conn-1')
    tenant = 'somebody-else'
    await happen('conn-1')
    await round()
    assert.deepEqual(taken(), [])
    assert.equal(receiver.received.filter((one) => one.body.includes('somebody-else')).length, 0)
  })

  it('leave nothing of their secret in the tables, the log or the list', async () => {
    const hook = await addHook()
    await happen('conn-1')
    await round()
    const plain = hook.secret.slice('whsec_'.length)
    assert.ok(!service.logs.some((line) => line.includes(plain)))
    assert.ok(!JSON.stringify(await api('GET', `/${hook.id}`)).includes(plain))
    const [row] = await rows(service, 'select secret from webhooks where webhook_id = $1', [hook.id])
    assert.ok(row)
    assert.ok(!Buffer.from(row['secret'] as Uint8Array).includes(plain))
  })
})
