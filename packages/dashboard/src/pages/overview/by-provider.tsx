import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { OverviewFigures } from '../../api/overview.ts'
import { connectorStatusWord } from '../../parts/status-badge.tsx'
import { ProviderName } from '../../parts/provider-name.tsx'
import { Card } from '../../parts/page.tsx'

const fills: readonly (readonly [status: string, fill: string])[] = [
  ['active', 'fill-good'],
  ['degraded', 'fill-warn'],
  ['reauth_required', 'fill-bad'],
  ['paused', 'fill-edge'],
]
const shown = 12

/** Which providers the accounts belong to, and how each fares. */
export function ByProvider({ of }: { readonly of: OverviewFigures['by_provider'] }): ReactNode {
  return (
    <Card title="By provider">
      <ul className="space-y-3">
        {of.slice(0, shown).map((provider) => (
          <li key={provider.provider_slug}>
            <div className="flex items-baseline justify-between gap-4">
              <Link
                to="/connectors"
                search={{ provider_slug: provider.provider_slug }}
                className="min-w-0 rounded font-medium wrap-anywhere hover:underline"
              >
                <ProviderName slug={provider.provider_slug} />
              </Link>
              <span className="text-xs text-soft tabular-nums">{partsOf(provider.by_status)}</span>
            </div>
            <Split counts={provider.by_status} />
          </li>
        ))}
      </ul>
      {of.length > shown && <p className="mt-3 text-xs text-soft">and {of.length - shown} more</p>}
    </Card>
  )
}

function partsOf(counts: Readonly<Record<string, number>>): string {
  return fills
    .filter(([status]) => (counts[status] ?? 0) > 0)
    .map(([status]) => `${(counts[status] ?? 0).toLocaleString('en')} ${connectorStatusWord(status).toLowerCase()}`)
    .join(' · ')
}

function Split({ counts }: { readonly counts: Readonly<Record<string, number>> }): ReactNode {
  const values = fills.map(([status]) => counts[status] ?? 0)
  const total = values.reduce((sum, value) => sum + value, 0)
  return (
    <svg
      viewBox={`0 0 ${Math.max(1, total)} 1`}
      preserveAspectRatio="none"
      className="mt-1.5 h-1.5 w-full rounded-full bg-raised"
      aria-hidden="true"
    >
      {fills.map(([status, fill], index) => {
        const before = values.slice(0, index).reduce((sum, value) => sum + value, 0)
        return <rect key={status} x={before} y={0} width={values[index]} height={1} className={fill} />
      })}
    </svg>
  )
}
