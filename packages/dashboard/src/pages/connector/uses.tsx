import type { ReactNode } from 'react'
import { auditPath, type AuditEntry } from '../../api/audit.ts'
import { useGrowingList } from '../../api/lists.ts'
import { Actor } from '../../parts/actor.tsx'
import { eventWords } from '../../parts/event-words.ts'
import { Metadata } from '../../parts/metadata.tsx'
import { Ago } from '../../parts/moment.tsx'
import { EmptyNote } from '../../parts/notes.tsx'
import { RecordList, type Column } from '../../parts/record-list.tsx'

const columns: readonly Column<AuditEntry>[] = [
  {
    title: 'Action',
    width: 'minmax(0, 1.5fr)',
    narrow: 'line',
    cell: (entry) => (
      <>
        <span className="block font-medium">{eventWords(entry.action)}</span>
        <code className="block text-xs text-soft">{entry.action}</code>
      </>
    ),
  },
  {
    title: 'By',
    width: 'minmax(0, 1fr)',
    cell: (entry) => <Actor id={entry.actor_id} />,
  },
  { title: 'Details', width: 'minmax(0, 2.5fr)', cell: (entry) => <Metadata of={entry.metadata} /> },
  {
    title: 'When',
    width: '6rem',
    cell: (entry) => (
      <span className="text-soft">
        <Ago at={entry.created_at} />
      </span>
    ),
  },
]

/** Who and what used its token, from the audit record. */
export function Uses({ connectorId }: { readonly connectorId: string }): ReactNode {
  const query = { resource_id: connectorId, order: 'desc' }
  const list = useGrowingList<AuditEntry>(['connector', connectorId, 'audit'], auditPath, query)
  return (
    <RecordList
      label="Uses"
      list={list}
      columns={columns}
      keyOf={(entry) => entry.id}
      empty={<EmptyNote title="Nothing on record yet" />}
    />
  )
}
