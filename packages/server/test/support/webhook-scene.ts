import assert from 'node:assert/strict'
import { tenantId } from '../../src/core/ids.ts'
import type { Context } from '../../src/domain/context.ts'
import { deliverDue } from '../../src/domain/deliver-webhooks.ts'
import { linkDue } from '../../src/domain/link-audit.ts'
import { createWebhookTurns } from '../../src/domain/webhook-turns.ts'
import { addEvent } from '../../src/store/events.ts'
import { rows } from './connectors.ts'
import { collectionId, spaceId, type TestService } from './service.ts'
import type { Received, WebhookReceiver } from './webhook-receiver.ts'

/** One tenant with endpoints and events of its own. */
export interface WebhookScene {
  readonly tenant: string
  /** Adds an endpoint at the receiver and answers its id. */
  addHook(): Promise<string>
  api(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>
  /** As many events, each of the resource that comes next. */
  happen(count: number, ...resources: readonly string[]): Promise<void>
  /** What came for this tenant and was answered. */
  messages(): readonly Received[]
  /** Ids of the events, in their order. */
  eventIds(): Promise<readonly string[]>
  /** Each event taken once, and those of one resource in their order. */
  assertExactlyOnceInOrder(): Promise<void>
}

export function webhookScene(service: TestService, receiver: WebhookReceiver, tenant: string): WebhookScene {
  const id = tenantId(tenant)
  const messages = () => receiver.received.filter((one) => one.body.includes(`"tenant_id":"${tenant}"`))
  const api: WebhookScene['api'] = async (method, path, body) => {
    const token = await service.token({ tenant })
    const reply = await service.call(method, `/v1/admin/webhooks${path}`, {
      token,
      ...(body !== undefined && { body }),
    })
    const text = await reply.text()
    assert.ok(reply.ok, text)
    return JSON.parse(text) as Record<string, unknown>
  }
  const eventIds = async () => {
    const found = await rows(
      service,
      `select event_id from events where tenant_id = $1 and event_type like 'connector.%' order by position`,
      [tenant],
    )
    return found.map((row) => String(row['event_id']))
  }
  return {
    tenant,
    api,
    eventIds,
    messages,
    async addHook() {
      return String(((await api('POST', '', { url: receiver.url }))['data'] as Record<string, unknown>)['id'])
    },
    async happen(count, ...resources) {
      for (let index = 0; index < count; index += 1) {
        const resourceId = resources[index % resources.length] ?? ''
        const place = { space_id: spaceId, collection_id: collectionId }
        const event = { eventType: 'connector.degraded', resourceType: 'connector', resourceId, place } as const
        const rest = { actorId: undefined, metadata: {} }
        await addEvent(service.context.database.tenant(id), id, { ...event, ...rest }, service.clock.now())
      }
      await linkDue(service.context)
    },
    async assertExactlyOnceInOrder() {
      const taken = messages().filter((one) => one.answered === 204)
      const expected = await eventIds()
      assert.deepEqual(taken.map((one) => one.id).toSorted(), expected.toSorted())
      for (const [resource, own] of Map.groupBy(taken, (one) => one.resourceId)) {
        const order = own.map((one) => expected.indexOf(one.id))
        assert.deepEqual(
          order,
          order.toSorted((a, b) => a - b),
          resource,
        )
      }
    },
  }
}

/** What another process of the same deployment has: the same tables, and turns of its own. */
export function anotherWorker(service: TestService): Context {
  return { ...service.context, webhookTurns: createWebhookTurns() }
}

/** Delivers what is due now, and waits until it is delivered. */
export async function deliverAll(context: Context): Promise<void> {
  for (let round = 0; round < 100 && (await deliverDue(context)) > 0; round += 1) await context.webhookTurns.settled()
}
