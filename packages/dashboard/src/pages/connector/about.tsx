import type { ReactNode } from 'react'
import type { Connector } from '../../api/connectors.ts'
import { Icon } from '../../parts/icons.tsx'
import { Ago, At } from '../../parts/moment.tsx'
import { Card, Facts } from '../../parts/page.tsx'
import { Badge, connectorStatusWord } from '../../parts/status-badge.tsx'

export function About({ connector }: { readonly connector: Connector }): ReactNode {
  const { account, scopes, url_variables: where } = connector
  const moment = (at: string | null, none: string): ReactNode =>
    at === null ? (
      none
    ) : (
      <>
        <At at={at} />{' '}
        <span className="text-soft">
          (<Ago at={at} />)
        </span>
      </>
    )
  return (
    <div className="grid grid-cols-1 gap-4 lg:grid-cols-2">
      <Card title="Account">
        <Facts
          of={[
            ['Name', account.name ?? 'not told by the provider'],
            ['Account id', account.id ?? 'not told by the provider'],
            ...Object.entries(where).map(
              ([name, value]) => [capital(name.replaceAll('_', ' ')), <code key={name}>{value}</code>] as const,
            ),
            ['Status', <Status key="status" of={connector} />],
            ['Connected by', connector.principal_id],
            ['Connected', moment(connector.created_at, '')],
            [
              'Token expires',
              connector.status === 'disconnected'
                ? 'destroyed here at the disconnect'
                : moment(connector.access_token_expires_at, 'does not expire'),
            ],
            ['Last refreshed', moment(connector.last_refreshed_at, 'never')],
            ['Last used', moment(connector.last_used_at, 'never')],
            ['Space', <code key="space">{connector.space_id}</code>],
            ['Collection', <code key="collection">{connector.collection_id}</code>],
          ]}
        />
      </Card>
      <Card title="Scopes">
        <Scopes of={scopes} />
      </Card>
    </div>
  )
}

/** What each reason means, and what helps, stands in the guides that the service serves. */
function Status({ of: { status, status_reason: reason } }: { readonly of: Connector }): ReactNode {
  if (reason === null) return connectorStatusWord(status)
  return (
    <>
      {connectorStatusWord(status)}: {reason.replaceAll('_', ' ')}{' '}
      <a
        href="/docs/errors#why-a-connector-needs-somebody"
        target="_blank"
        rel="noreferrer"
        className="inline-flex items-center gap-1 rounded text-accent hover:underline"
      >
        What this means
        <Icon name="out" />
        <span className="sr-only">(opens a new tab)</span>
      </a>
    </>
  )
}

function capital(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1)
}

/** What was asked for beside what was given. */
function Scopes({ of }: { readonly of: Connector['scopes'] }): ReactNode {
  const names = [...new Set([...of.requested, ...of.granted])]
  if (names.length === 0) return <p className="text-soft">No scope was asked for.</p>
  return (
    <table className="w-full text-left">
      <thead className="text-xs text-soft">
        <tr>
          <th scope="col" className="pb-1 font-medium">
            Scope
          </th>
          <th scope="col" className="w-32 pb-1 font-medium">
            Granted
          </th>
        </tr>
      </thead>
      <tbody>
        {names.map((name) => (
          <tr key={name} className="border-t border-line align-top">
            <td className="py-1.5 pr-3 wrap-anywhere">
              <code>{name}</code>
              {!of.requested.includes(name) && <span className="text-xs text-soft"> – not asked for</span>}
            </td>
            <td className="py-1.5">
              {of.granted.includes(name) ? (
                <Badge tone="good">Granted</Badge>
              ) : of.missing.includes(name) ? (
                <Badge tone="bad">Missing</Badge>
              ) : (
                <Badge tone="quiet">Not told</Badge>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
