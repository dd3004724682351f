import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { auditPath, exportAudit, readAuditKeys, type AuditEntry } from '../api/audit.ts'
import { useGrowingList } from '../api/lists.ts'
import { Actor } from '../parts/actor.tsx'
import { Button } from '../parts/button.tsx'
import { CopyField } from '../parts/copy-field.tsx'
import { asTimes, DayRange } from '../parts/day-range.tsx'
import { save } from '../parts/download.ts'
import { eventWords } from '../parts/event-words.ts'
import { Metadata } from '../parts/metadata.tsx'
import { At } from '../parts/moment.tsx'
import { EmptyNote, Loading, ProblemNote } from '../parts/notes.tsx'
import { PageHead } from '../parts/page.tsx'
import { RecordList, type Column } from '../parts/record-list.tsx'
import { ResourceLink } from '../parts/resource-link.tsx'
import { SearchBox } from '../parts/search-box.tsx'

const route = getRouteApi('/audit')

const columns: readonly Column<AuditEntry>[] = [
  {
    title: 'Action',
    width: 'minmax(11rem, 1.4fr)',
    narrow: 'line',
    cell: (entry) => (
      <>
        <span className="block font-medium wrap-anywhere">{entry.action}</span>
        <span className="block text-xs text-soft">{eventWords(entry.action)}</span>
      </>
    ),
  },
  {
    title: 'By',
    width: 'minmax(0, 0.85fr)',
    cell: (entry) => <Actor id={entry.actor_id} />,
  },
  {
    title: 'About',
    width: 'minmax(0, 2.1fr)',
    cell: (entry) => <ResourceLink type={entry.resource_type} id={entry.resource_id} place={entry} />,
  },
  {
    title: 'Details',
    width: 'minmax(0, 2.2fr)',
    narrow: 'hidden',
    cell: (entry) => <Metadata of={entry.metadata} />,
  },
  {
    title: 'When',
    width: '8.5rem',
    cell: (entry) => (
      <span className="text-xs text-soft">
        <At at={entry.created_at} /> <span className="lg:hidden">· </span>
        <span title={`Hash ${entry.hash}`} className="whitespace-nowrap lg:block">
          no. {entry.position}
        </span>
      </span>
    ),
  },
]

/** The hash-chained record: searching it, taking it along, and proving it. */
export function Audit(): ReactNode {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const query = {
    order: 'desc',
    action: search.action,
    actor_id: search.actor_id,
    resource_id: search.resource_id,
    ...asTimes(search.from, search.to),
  }
  const list = useGrowingList<AuditEntry>(['audit', query], auditPath, query)
  const exporting = useMutation({
    mutationFn: exportAudit,
    onSuccess: (content) => save(content, `audit-${new Date().toISOString().slice(0, 10)}.jsonl`),
  })
  const change = (part: Partial<typeof search>): void =>
    void navigate({ search: (old) => ({ ...old, ...part }), replace: true })
  return (
    <>
      <PageHead
        title="Audit"
        actions={
          <Button look="primary" disabled={exporting.isPending} onClick={() => exporting.mutate()}>
            {exporting.isPending ? 'Exporting …' : 'Export the record'}
          </Button>
        }
      >
        Each entry’s hash covers the one before it, and signed checkpoints fix the chain. Nothing can be changed or left
        out unseen.
      </PageHead>
      {exporting.error !== null && (
        <div className="mb-4">
          <ProblemNote problem={exporting.error} />
        </div>
      )}
      <Verify />
      <div className="my-4 flex flex-wrap items-center gap-2">
        <SearchBox
          label="Exact action, such as token.exported"
          value={search.action}
          onChange={(action) => change({ action })}
        />
        <SearchBox label="Person" value={search.actor_id} onChange={(actor) => change({ actor_id: actor })} />
        <SearchBox label="Exact id" value={search.resource_id} onChange={(id) => change({ resource_id: id })} />
        <DayRange from={search.from} to={search.to} onChange={change} />
      </div>
      <RecordList
        label="Audit entries"
        list={list}
        columns={columns}
        keyOf={(entry) => entry.id}
        empty={<EmptyNote title="No entry fits">Filters compare whole words: an action, a person, an id.</EmptyNote>}
      />
    </>
  )
}

function commandFor(publicKey: string | undefined): string {
  const command = 'npx connector-oauth audit verify --file audit.jsonl'
  return publicKey === undefined ? command : `${command} --public-key ${publicKey}`
}

function Verify(): ReactNode {
  const keys = useQuery({ queryKey: ['audit-keys'], queryFn: ({ signal }) => readAuditKeys(signal) })
  return (
    <details className="rounded-lg border border-line bg-card px-4 py-3">
      <summary className="rounded font-semibold">Verify an export</summary>
      <div className="mt-3 space-y-4">
        <p className="max-w-prose text-soft">
          On any machine with the program, without access to this service. It recomputes every hash and checks every
          signature; it ends with 1 and names the place when something does not fit.
        </p>
        <CopyField label="Command" value={commandFor(keys.data?.[0]?.public_key)} />
        <div>
          <p className="mb-1 text-xs font-medium text-soft">
            Public keys of the checkpoints. Keep a copy elsewhere: whoever could forge the record could forge this page.
          </p>
          {keys.isPending && <Loading lines={1} />}
          {keys.error !== null && <ProblemNote problem={keys.error} onRetry={() => void keys.refetch()} />}
          <ul className="space-y-2">
            {keys.data?.map((key) => (
              <li key={key.key_id}>
                <CopyField label={`Key ${key.key_id}`} value={key.public_key} />
              </li>
            ))}
          </ul>
        </div>
      </div>
    </details>
  )
}
