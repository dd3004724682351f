import type { Static } from 'typebox'
import type {
  DeliveryList,
  NewWebhook as NewWebhookSchema,
  OneWebhook,
  PatchWebhookBody,
  ReplayedMany,
  Tested as TestedSchema,
  WebhookBody,
} from '@connector-oauth/contract/webhooks.ts'
import { call } from './call.ts'

export type Webhook = Static<typeof OneWebhook>['data']
export type NewWebhook = Static<typeof NewWebhookSchema>['data']
export type Delivery = Static<typeof DeliveryList>['data'][number]
export type Tested = Static<typeof TestedSchema>['data']

export const webhooksPath = '/v1/admin/webhooks'
const at = (id: string): string => `${webhooksPath}/${encodeURIComponent(id)}`
export const deliveriesPath = (id: string): string => `${at(id)}/deliveries`

export async function readWebhook(id: string, signal: AbortSignal): Promise<Webhook> {
  return (await call<{ data: Webhook }>('GET', at(id), { signal })).data
}

/** The answer holds the signing secret, this once. */
export async function addWebhook(body: WebhookBody): Promise<NewWebhook> {
  return (await call<{ data: NewWebhook }>('POST', webhooksPath, { body })).data
}

export async function changeWebhook(id: string, body: PatchWebhookBody): Promise<Webhook> {
  return (await call<{ data: Webhook }>('PATCH', at(id), { body })).data
}

export function removeWebhook(id: string): Promise<void> {
  return call('DELETE', at(id))
}

/** A new secret; the old one signs beside it for a day. */
export async function rotateSecret(id: string): Promise<NewWebhook> {
  return (await call<{ data: NewWebhook }>('POST', `${at(id)}/rotate-secret`, { body: {} })).data
}

export async function testWebhook(id: string): Promise<Tested> {
  return (await call<{ data: Tested }>('POST', `${at(id)}/test`)).data
}

export function replayOne(id: string, eventId: string): Promise<unknown> {
  return call('POST', `${deliveriesPath(id)}/${encodeURIComponent(eventId)}/replay`)
}

/** Everything that was given up, from the oldest; in as many calls as it takes. */
export async function replayDead(id: string): Promise<number> {
  let replayed = 0
  let from: string | undefined
  for (let calls = 0; calls < 1_000; calls += 1) {
    const answer = await call<Static<typeof ReplayedMany>>('POST', `${at(id)}/replay`, {
      body: { status: 'dead', ...(from === undefined ? {} : { from }) },
    })
    replayed += answer.data.replayed
    if (answer.meta.next_from === null) break
    from = answer.meta.next_from
  }
  return replayed
}
