import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { deliverDue } from '../../src/domain/deliver-webhooks.ts'
import { rows, until } from '../support/connectors.ts'
import { startTestService, type TestService } from '../support/service.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts'
import { anotherWorker, deliverAll, webhookScene, type WebhookScene } from '../support/webhook-scene.ts'

let service: TestService
let receiver: WebhookReceiver
let scene: WebhookScene
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
  scene = newScene()
  receiver.answer(() => 204)
})

function newScene(): WebhookScene {
  tenants += 1
  return webhookScene(service, receiver, `tenant-${tenants}`)
}

async function hookRow(id: string): Promise<Readonly<Record<string, unknown>>> {
  const [row] = await rows(service, 'select * from webhooks where webhook_id = $1', [id])
  assert.ok(row)
  return row
}

/** Runs the background work's rounds, as a worker does, for as long as `during` takes. */
async function whileWorking(during: Promise<void>): Promise<void> {
  const over = new AbortController()
  const end = during.finally(() => over.abort())
  const work = async (): Promise<void> => {
    while (!over.signal.aborted)
      if ((await deliverDue(service.context)) === 0) await new Promise((next) => setTimeout(next, 5))
  }
  await Promise.all([end, work()])
}

describe('a turn of one endpoint', () => {
  it('is over before its claim is, however slowly the receiver takes messages', async () => {
    await scene.addHook()
    await scene.happen(40, 'conn-1', 'conn-2')
    const other = anotherWorker(service)
    receiver.answer(async () => {
      // As if it had taken so long.
      service.clock.advance(14_000)
      await deliverDue(other)
      return 204
    })
    await until(async () => {
      await deliverAll(service.context)
      await other.webhookTurns.settled()
      return scene.messages().length >= 40
    })
    await scene.assertExactlyOnceInOrder()
  })

  it('marks nothing once its claim is another’s', async () => {
    const id = await scene.addHook()
    await scene.happen(1, 'conn-1')
    const late = Promise.withResolvers<number>()
    let asked = 0
    receiver.answer(() => ((asked += 1) === 1 ? late.promise : 204))
    await deliverDue(service.context)
    await until(() => asked === 1)
    service.clock.advance(120_000)
    await deliverAll(anotherWorker(service))
    assert.equal(asked, 2)
    late.resolve(500)
    await service.context.webhookTurns.settled()
    const [delivery] = await rows(service, 'select * from webhook_deliveries where webhook_id = $1', [id])
    assert.deepEqual([delivery?.['status'], delivery?.['attempts']], ['delivered', 1])
    assert.deepEqual([(await hookRow(id))['failures'], (await hookRow(id))['failing_since']], [0, null])
  })

  it('of one that hangs holds up no other endpoint', async () => {
    const gate = Promise.withResolvers<number>()
    await scene.addHook()
    await scene.happen(1, 'hangs')
    receiver.answer((message) => (message.resourceId === 'hangs' ? gate.promise : 204))
    const quick = newScene()
    await quick.addHook()
    await whileWorking(
      (async () => {
        for (let count = 1; count <= 3; count += 1) {
          await quick.happen(1, 'conn-1')
          await until(() => quick.messages().length === count)
        }
      })(),
    )
    assert.equal(scene.messages().length, 0)
    gate.resolve(204)
    await service.context.webhookTurns.settled()
  })

  it('leaves other tenants theirs, however many endpoints of one tenant hang', async () => {
    const gate = Promise.withResolvers<number>()
    for (let count = 0; count < 30; count += 1) await scene.addHook()
    await scene.happen(1, 'hangs')
    receiver.answer((message) => (message.resourceId === 'hangs' ? gate.promise : 204))
    while ((await deliverDue(service.context)) > 0);
    const quick = newScene()
    await quick.addHook()
    await quick.happen(1, 'conn-1')
    await whileWorking(until(() => quick.messages().length === 1))
    assert.equal(scene.messages().length, 0)
    gate.resolve(204)
    await until(async () => {
      await deliverAll(service.context)
      return scene.messages().length === 30
    })
  })

  it('sends no more than a hundred messages a second of what waits', async () => {
    await scene.addHook()
    await scene.happen(250, 'conn-1', 'conn-2', 'conn-3')
    await until(async () => {
      await deliverAll(service.context)
      return scene.messages().length === 250
    })
    await scene.assertExactlyOnceInOrder()
    const arrived = scene.messages().map((one) => one.arrivedMs)
    const tookMs = Math.max(...arrived) - Math.min(...arrived)
    assert.ok(tookMs >= 1_900, `${tookMs}`)
  })

  it('sends nothing more once the process ends', async () => {
    const gate = Promise.withResolvers<number>()
    const ending = anotherWorker(service)
    await scene.addHook()
    await scene.happen(5, 'conn-1')
    let asked = 0
    receiver.answer(() => {
      asked += 1
      return gate.promise
    })
    await deliverDue(ending)
    await until(() => asked === 1)
    const closed = ending.webhookTurns.close()
    gate.resolve(204)
    await closed
    assert.equal(scene.messages().length, 1)
    assert.equal(await deliverDue(ending), 0)
    // Given back at once, not when the claim ends.
    service.clock.advance(1_000)
    await deliverAll(service.context)
    await scene.assertExactlyOnceInOrder()
  })
})

describe('a delivery', () => {
  it('goes without the caller’s context when that cannot be opened any more', async () => {
    await scene.addHook()
    await scene.happen(2, 'conn-1')
    const [first] = await scene.eventIds()
    await rows(service, `update events set caller_context = '\\x00' where event_id = $1`, [first])
    await deliverAll(service.context)
    await scene.assertExactlyOnceInOrder()
  })

  it('of an event that is gone is given up, and what follows goes on', async () => {
    const id = await scene.addHook()
    await scene.happen(2, 'conn-1')
    receiver.answer(() => 503)
    await deliverAll(service.context)
    const [gone] = await scene.eventIds()
    await rows(service, 'delete from events where event_id = $1', [gone])
    receiver.answer(() => 204)
    service.clock.advance(60_000)
    await deliverAll(service.context)
    await scene.assertExactlyOnceInOrder()
    const [dead] = await rows(service, 'select * from webhook_deliveries where event_id = $1', [gone])
    assert.equal(dead?.['status'], 'dead')
    assert.equal((dead['attempt_log'] as { error?: string }[]).at(-1)?.error, 'event_gone')
    assert.equal((await hookRow(id))['failures'], 0)
  })

  it('whose signing secret cannot be opened is a failure like others, and not tried for ever', async () => {
    const id = await scene.addHook()
    await rows(service, `update webhooks set secret = '\\x00' where webhook_id = $1`, [id])
    await scene.happen(1, 'conn-1')
    await deliverAll(service.context)
    assert.equal((await hookRow(id))['failures'], 1)
    const tested = (await scene.api('POST', `/${id}/test`))['data'] as Record<string, unknown>
    assert.deepEqual([tested['delivered'], tested['error']], [false, 'secret_unreadable'])
  })

  it('that fails together with seven others counts as one failure, and each failure makes the wait longer', async () => {
    const id = await scene.addHook()
    await scene.happen(8, ...Array.from({ length: 8 }, (_, index) => `conn-${index}`))
    const all = Promise.withResolvers<number>()
    let asked = 0
    receiver.answer(() => {
      if ((asked += 1) === 8) all.resolve(503)
      return all.promise
    })
    await deliverAll(service.context)
    assert.equal(asked, 8)
    const waitMs = async (): Promise<number> => {
      const { retry_at: again, last_failed_at: failed } = await hookRow(id)
      assert.ok(again instanceof Date && failed instanceof Date)
      return again.getTime() - failed.getTime()
    }
    assert.equal((await hookRow(id))['failures'], 1)
    assert.ok((await waitMs()) <= 6_000, String(await waitMs()))
    service.clock.advance(10_000)
    await deliverAll(service.context)
    assert.equal((await hookRow(id))['failures'], 2)
    assert.ok((await waitMs()) >= 24_000, String(await waitMs()))
  })
})
