import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { readRedirectUris, writeRedirectUris, type RedirectUris } from '../../api/settings.ts'
import { Button } from '../../parts/button.tsx'
import { SelectField, TextField } from '../../parts/field.tsx'
import { EmptyNote, Loading, ProblemNote } from '../../parts/notes.tsx'
import { Card } from '../../parts/page.tsx'
import { ProviderName, useProviderNames } from '../../parts/provider-name.tsx'
import { Badge } from '../../parts/status-badge.tsx'

const key = ['redirect-uris']

/** Pages of the platform at which a connection may end. Each change is stored at once. */
export function RedirectUrisEditor(): ReactNode {
  const queries = useQueryClient()
  const uris = useQuery({ queryKey: key, queryFn: ({ signal }) => readRedirectUris(signal) })
  const writing = useMutation({
    mutationFn: writeRedirectUris,
    onSuccess: (stored) => queries.setQueryData(key, stored),
  })
  const entries = uris.data ?? []
  return (
    <Card title="Redirect URIs">
      <div className="space-y-4">
        <p className="max-w-prose text-soft">
          A <em>landing</em> page is where the popup ends, on your own origin. A <em>callback</em> is sent to one
          provider as the OAuth redirect URI. Both are compared as exact strings.
        </p>
        {uris.isPending && <Loading lines={2} />}
        {uris.error !== null && <ProblemNote problem={uris.error} onRetry={() => void uris.refetch()} />}
        {uris.data !== undefined && entries.length === 0 && <EmptyNote title="None is registered" />}
        {entries.length > 0 && (
          <ul className="divide-y divide-line rounded-md border border-line" aria-label="Registered redirect URIs">
            {entries.map((entry) => (
              <li key={`${entry.kind} ${entry.uri}`} className="flex flex-wrap items-center gap-3 px-3 py-2">
                <code className="min-w-0 flex-1 basis-56 wrap-anywhere">{entry.uri}</code>
                <Badge tone="quiet">
                  {entry.provider_slug === undefined ? (
                    entry.kind
                  ) : (
                    <span>
                      {entry.kind} of <ProviderName slug={entry.provider_slug} />
                    </span>
                  )}
                </Badge>
                <Button
                  look="quiet"
                  disabled={writing.isPending}
                  aria-label={`Remove ${entry.uri}`}
                  onClick={() => writing.mutate(entries.filter((other) => other !== entry))}
                >
                  Remove
                </Button>
              </li>
            ))}
          </ul>
        )}
        {writing.error !== null && <ProblemNote problem={writing.error} />}
        {uris.data !== undefined && (
          <AddEntry isBusy={writing.isPending} onAdd={(entry) => writing.mutateAsync([...entries, entry])} />
        )}
      </div>
    </Card>
  )
}

function AddEntry({
  isBusy,
  onAdd,
}: {
  readonly isBusy: boolean
  readonly onAdd: (entry: RedirectUris[number]) => Promise<unknown>
}): ReactNode {
  const [uri, setUri] = useState('')
  const [kind, setKind] = useState<'landing' | 'callback'>('landing')
  const [slug, setSlug] = useState('')
  const names = useProviderNames()
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    try {
      await onAdd({ uri, kind, ...(kind === 'callback' ? { provider_slug: slug } : {}) })
      setUri('')
    } catch {
      // Told above the form; what was typed stays.
    }
  }
  return (
    <form onSubmit={(event) => void submit(event)} className="flex flex-wrap items-end gap-3">
      <TextField
        label="URI"
        type="url"
        required
        placeholder="https://app.example.com/connected"
        value={uri}
        onChange={(event) => setUri(event.target.value)}
        className="min-w-0 flex-1 basis-56"
      />
      <SelectField
        label="Kind"
        value={kind}
        onChange={(event) => setKind(event.target.value === 'callback' ? 'callback' : 'landing')}
        className="w-32"
      >
        <option value="landing">landing</option>
        <option value="callback">callback</option>
      </SelectField>
      {kind === 'callback' && (
        <SelectField
          label="Provider"
          required
          value={slug}
          onChange={(event) => setSlug(event.target.value)}
          className="min-w-0 flex-1 basis-40 sm:max-w-60"
        >
          <option value="">Choose one</option>
          {[...names].map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </SelectField>
      )}
      <Button look="primary" type="submit" disabled={isBusy}>
        Add
      </Button>
    </form>
  )
}
