import type { AccessRow } from '../store/connector-access.ts'
import { providerLabel } from './provider-label.ts'
import type { ProxyNeeds } from './proxy-call.ts'
import type { ProxyActor } from './proxy-caller.ts'

/** Counts and records how a call ended: with the provider's status, or with a code of our own. */
export type Recorder = (outcome: number | string) => Promise<void>

/** Makes the recorder of one call; `route` is the path's template. */
export function recorder(
  context: ProxyNeeds,
  actor: ProxyActor,
  connector: AccessRow,
  call: { readonly method: string; readonly route: string },
): Recorder {
  const slug = connector.provider_slug
  const provider = providerLabel(context, slug)
  return async (outcome) => {
    context.meter.count('proxied_calls_total', {
      provider,
      status: typeof outcome === 'string' ? 'own' : statusClass(outcome),
    })
    await context.activity.note({
      action: 'connector.proxied',
      tenantId: actor.tenantId,
      connectorId: connector.connector_id,
      place: { space_id: connector.space_id, collection_id: connector.collection_id },
      actorId: actor.actorId,
      // A path that was refused is no route of the provider's, and there is no end of them.
      metadata: {
        method: call.method,
        ...(outcome !== 'proxy_path_refused' && { path: call.route }),
        status: outcome,
      },
    })
  }
}

function statusClass(status: number): '2xx' | '3xx' | '4xx' | '5xx' {
  if (status < 300) return '2xx'
  if (status < 400) return '3xx'
  return status < 500 ? '4xx' : '5xx'
}
