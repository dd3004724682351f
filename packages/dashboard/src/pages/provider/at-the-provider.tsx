import type { ReactNode } from 'react'
import type { AdminProvider } from '../../api/providers.ts'
import { CopyField } from '../../parts/copy-field.tsx'
import { Icon } from '../../parts/icons.tsx'
import { Card } from '../../parts/page.tsx'

/** What to do there: the one address to copy, and where their documentation stands. */
export function AtTheProvider({ provider }: { readonly provider: AdminProvider }): ReactNode {
  return (
    <Card title={`1. Register a client at ${provider.display_name}`}>
      <div className="space-y-4">
        <p className="text-soft">
          Register an OAuth client there (they may call it an app or an integration), of the kind for web servers. Give
          it exactly this redirect URI:
        </p>
        <CopyField label="Redirect URI" value={provider.redirect_uri} />
        <SetupNotes provider={provider} />
        {provider.docs_url === null ? (
          <p className="text-soft">Where to click stands in the provider’s own documentation for developers.</p>
        ) : (
          <a
            href={provider.docs_url}
            target="_blank"
            rel="noreferrer"
            className="inline-flex items-center gap-1.5 rounded font-medium text-accent hover:underline"
          >
            {provider.display_name}’s documentation
            <Icon name="out" />
            <span className="sr-only">(opens a new tab)</span>
          </a>
        )}
        {provider.default_scopes.length > 0 && <DefaultScopes provider={provider} />}
      </div>
    </Card>
  )
}

function SetupNotes({ provider }: { readonly provider: AdminProvider }): ReactNode {
  if (provider.setup_notes.length === 0) return null
  return (
    <ul className="list-disc space-y-1 pl-5">
      {provider.setup_notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  )
}

function DefaultScopes({ provider }: { readonly provider: AdminProvider }): ReactNode {
  return (
    <details>
      <summary className="rounded font-medium text-soft">Scopes that are asked for unless you say otherwise</summary>
      <ul className="mt-2 space-y-1.5">
        {provider.default_scopes.map((scope) => (
          <li key={scope.name} className="wrap-anywhere">
            <code>{scope.name}</code>
            {scope.description !== '' && <span className="text-soft"> – {scope.description}</span>}
          </li>
        ))}
      </ul>
    </details>
  )
}
