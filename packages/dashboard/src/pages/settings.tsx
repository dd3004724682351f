import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useMe, type Me } from '../api/me.ts'
import { readDeployment, type Deployment } from '../api/settings.ts'
import { At } from '../parts/moment.tsx'
import { Loading, ProblemNote } from '../parts/notes.tsx'
import { Card, Facts, PageHead } from '../parts/page.tsx'
import { RedirectUrisEditor } from './settings/redirect-uris-editor.tsx'

/** What the tenant may change, and what the deployment has fixed. */
export function Settings(): ReactNode {
  const me = useMe()
  const deployment = useQuery({ queryKey: ['deployment'], queryFn: ({ signal }) => readDeployment(signal) })
  return (
    <>
      <PageHead title="Settings" />
      <div className="space-y-5">
        <RedirectUrisEditor />
        {deployment.isPending && <Loading />}
        {deployment.error !== null && (
          <ProblemNote problem={deployment.error} onRetry={() => void deployment.refetch()} />
        )}
        <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
          {me !== undefined && <Rights of={me} />}
          {deployment.data !== undefined && <OfTheDeployment of={deployment.data} />}
        </div>
      </div>
    </>
  )
}

const rights: readonly (readonly [name: string, meaning: string])[] = [
  ['connectors:connect', 'start and complete a connection'],
  ['connectors:read', 'see connectors and events'],
  ['connectors:use', 'call providers through the proxy'],
  ['connectors:token', 'export a raw access token'],
  ['connectors:manage', 'change and disconnect'],
  ['connectors:admin', 'provider apps, settings, webhooks, audit'],
]

function Rights({ of }: { readonly of: Me }): ReactNode {
  return (
    <Card title="What this sign-in may do">
      <Facts
        of={[
          ['Signed in as', of.subject],
          ['Tenant', of.tenant_id],
          ['Issuer', of.issuer ?? 'this service'],
          ['Until', <At key="until" at={of.expires_at} />],
          ['Spaces', of.spaces?.join(', ') ?? 'all'],
          ['Collections', of.collections?.join(', ') ?? 'all'],
        ]}
      />
      <ul className="mt-4 space-y-1.5 border-t border-line pt-4">
        {rights.map(([name, meaning]) => {
          const has = of.rights.includes(name)
          return (
            <li key={name} className={has ? '' : 'text-soft'}>
              <span aria-hidden="true" className={`mr-2 inline-block w-3 ${has ? 'text-good' : ''}`}>
                {has ? '✓' : '–'}
              </span>
              <span className="sr-only">{has ? 'May' : 'May not'}: </span>
              <code>{name}</code> <span className="text-soft">{meaning}</span>
            </li>
          )
        })}
      </ul>
    </Card>
  )
}

function OfTheDeployment({ of }: { readonly of: Deployment }): ReactNode {
  const { auth } = of
  return (
    <Card title="Set by the deployment">
      <Facts
        of={[
          ['Version', of.version],
          ['Environment', of.environment],
          ['Public URL', <code key="url">{of.public_url}</code>],
          ['Allowed origins', <Lines key="origins" of={of.allowed_origins} none="none; set ALLOWED_ORIGINS" />],
          ['Landing pages', <Lines key="uris" of={of.allowed_redirect_uris} none="none for every tenant" />],
          [
            'Bearer tokens',
            auth.kind === 'hs256' ? 'signed with a shared secret (HS256)' : 'signed with keys of a JWKS',
          ],
          ['Their issuer', auth.issuer ?? 'not checked'],
          ['Their audience', auth.audience ?? 'not checked'],
          ['Tenant claim', <code key="claim">{auth.tenant_claim}</code>],
          ['Default rights', <Lines key="scope" of={auth.default_scope.split(' ')} none="none" />],
          ['Rate limits', of.rate_limits],
        ]}
      />
    </Card>
  )
}

function Lines({ of, none }: { readonly of: readonly string[]; readonly none: string }): ReactNode {
  if (of.length === 0) return <span className="text-soft">{none}</span>
  return (
    <ul>
      {of.map((line) => (
        <li key={line}>
          <code>{line}</code>
        </li>
      ))}
    </ul>
  )
}
