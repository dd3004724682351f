import type { ReactNode } from 'react'

type Tone = 'good' | 'warn' | 'bad' | 'quiet'

const looks: Readonly<Record<Tone, string>> = {
  good: 'bg-good-ground text-good',
  warn: 'bg-warn-ground text-warn',
  bad: 'bg-bad-ground text-bad',
  quiet: 'bg-raised text-soft',
}

export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }): ReactNode {
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded-full px-2 py-0.5 text-xs font-medium whitespace-nowrap ${looks[tone]}`}
    >
      <span aria-hidden="true" className="size-1.5 rounded-full bg-current" />
      {children}
    </span>
  )
}

const connectorTones: Readonly<Record<string, Tone>> = {
  active: 'good',
  degraded: 'warn',
  reauth_required: 'bad',
  paused: 'quiet',
  disconnected: 'quiet',
}

const connectorWords: Readonly<Record<string, string>> = {
  active: 'Connected',
  degraded: 'Degraded',
  reauth_required: 'Needs a person',
  paused: 'Paused',
  disconnected: 'Disconnected',
}

export function connectorStatusWord(status: string): string {
  return connectorWords[status] ?? status
}

export function ConnectorBadge({ status }: { readonly status: string }): ReactNode {
  return <Badge tone={connectorTones[status] ?? 'quiet'}>{connectorStatusWord(status)}</Badge>
}
