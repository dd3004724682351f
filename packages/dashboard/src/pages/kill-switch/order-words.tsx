import type { ReactNode } from 'react'
import type { MassRevocation } from '../../api/kill-switch.ts'
import { exactly } from '../../parts/moment.tsx'
import { Badge } from '../../parts/status-badge.tsx'

type Filter = { readonly [Name in keyof MassRevocation['filter']]?: MassRevocation['filter'][Name] | undefined }

/** Which connectors an order is about, as a sentence would say it. */
export function filterWords(filter: Filter, names: ReadonlyMap<string, string>): string {
  const parts = [
    filter.provider_slug && `at ${names.get(filter.provider_slug) ?? filter.provider_slug}`,
    filter.space_id && `in the space ${filter.space_id}`,
    filter.principal_id && `connected by ${filter.principal_id}`,
    filter.connected_before && `connected before ${exactly(filter.connected_before)}`,
    filter.connected_after && `connected after ${exactly(filter.connected_after)}`,
  ].filter((part) => typeof part === 'string' && part !== '')
  return parts.length === 0 ? 'Every connector of the tenant' : `Every connector ${parts.join(', ')}`
}

export function OrderBadge({ order }: { readonly order: MassRevocation }): ReactNode {
  if (order.status === 'completed') return <Badge tone={order.counts.failed > 0 ? 'bad' : 'good'}>Completed</Badge>
  return <Badge tone="warn">{order.status === 'running' ? 'Running' : 'Queued'}</Badge>
}
