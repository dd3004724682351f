import type { ReactNode } from 'react'
import type { Webhook } from '../../api/webhooks.ts'
import { Badge } from '../../parts/status-badge.tsx'

export function WebhookBadge({ webhook }: { readonly webhook: Webhook }): ReactNode {
  if (!webhook.enabled) return <Badge tone={webhook.disabled_reason === null ? 'quiet' : 'bad'}>Disabled</Badge>
  if (webhook.failing_since !== null) return <Badge tone="warn">Failing</Badge>
  return <Badge tone="good">Enabled</Badge>
}
