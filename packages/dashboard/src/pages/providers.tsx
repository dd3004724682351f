import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useMemo, type ReactNode } from 'react'
import { byName, isCustom, providersKey, readProviders } from '../api/providers.ts'
import { buttonClass } from '../parts/button.tsx'
import { EmptyNote } from '../parts/notes.tsx'
import { PageHead } from '../parts/page.tsx'
import { RecordList, type Column } from '../parts/record-list.tsx'
import { SearchBox } from '../parts/search-box.tsx'
import { Badge } from '../parts/status-badge.tsx'
import { Choice } from '../parts/tabs.tsx'
import { inputClass } from '../parts/field.tsx'
import { categoryWords } from './providers/category-words.ts'

const route = getRouteApi('/providers')
const shows = { all: 'All', ready: 'Set up', own: 'Your own' } as const

type Row = Awaited<ReturnType<typeof readProviders>>[number]

const columns: readonly Column<Row>[] = [
  {
    title: 'Provider',
    width: 'minmax(0, 2fr)',
    cell: (provider) => (
      <Link
        to="/providers/$slug"
        params={{ slug: provider.provider_slug }}
        className="flex items-center gap-3 rounded font-medium hover:underline"
      >
        <span
          aria-hidden="true"
          className="grid size-7 shrink-0 place-items-center rounded-md bg-raised text-xs font-semibold text-soft"
        >
          {provider.display_name.slice(0, 1).toUpperCase()}
        </span>
        <span className="min-w-0 wrap-anywhere">{provider.display_name}</span>
      </Link>
    ),
  },
  {
    title: 'Slug',
    width: 'minmax(0, 1.2fr)',
    narrow: 'hidden',
    cell: (provider) => <code className="text-soft wrap-anywhere">{provider.provider_slug}</code>,
  },
  {
    title: 'Categories',
    width: 'minmax(0, 1.5fr)',
    narrow: 'hidden',
    cell: (provider) => (
      <span className="text-soft wrap-anywhere">{provider.categories.map(categoryWords).join(', ')}</span>
    ),
  },
  {
    title: 'Set-up',
    width: '7rem',
    cell: (provider) =>
      provider.setup_complete ? <Badge tone="good">Set up</Badge> : <Badge tone="quiet">Not set up</Badge>,
  },
]

/** What somebody has set up is what they look for; among hundreds of others it would be lost. */
function readyFirst(a: Row, b: Row): number {
  return Number(b.setup_complete) - Number(a.setup_complete) || byName(a, b)
}

/** The catalogue: what can be connected, and what is set up. */
export function Providers(): ReactNode {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const all = useQuery({ queryKey: providersKey, queryFn: ({ signal }) => readProviders(signal) })
  const show = search.show !== undefined && search.show in shows ? search.show : 'all'
  const found = useMemo(() => {
    const wanted = (search.q ?? '').toLowerCase().trim()
    return (all.data ?? [])
      .filter(
        (provider) =>
          (wanted === '' || `${provider.display_name} ${provider.provider_slug}`.toLowerCase().includes(wanted)) &&
          (search.category === undefined || provider.categories.includes(search.category)) &&
          (show !== 'ready' || provider.setup_complete) &&
          (show !== 'own' || isCustom(provider.provider_slug)),
      )
      .toSorted(readyFirst)
  }, [all.data, search.q, search.category, show])
  const categories = useMemo(
    () =>
      [...new Set((all.data ?? []).flatMap((provider) => provider.categories))]
        .map((category) => ({ category, words: categoryWords(category) }))
        .toSorted((a, b) => (a.words < b.words ? -1 : 1)),
    [all.data],
  )
  const change = (part: Partial<typeof search>): void =>
    void navigate({ search: (old) => ({ ...old, ...part }), replace: true })
  return (
    <>
      <PageHead
        title="Providers"
        actions={
          <Link to="/providers/add" className={buttonClass('primary')}>
            Add a provider of your own
          </Link>
        }
      >
        Give each provider the client that you registered there; then your users can connect.
      </PageHead>
      <div className="mb-4 flex flex-wrap gap-2">
        <SearchBox label="Search providers" value={search.q} onChange={(q) => change({ q })} />
        <select
          aria-label="Category"
          className={`${inputClass} sm:w-48`}
          value={search.category ?? ''}
          onChange={(event) => change({ category: event.target.value === '' ? undefined : event.target.value })}
        >
          <option value="">Every category</option>
          {categories.map(({ category, words }) => (
            <option key={category} value={category}>
              {words}
            </option>
          ))}
        </select>
        <Choice
          label="Show"
          choices={shows}
          value={show}
          onChange={(value) => change({ show: value === 'all' ? undefined : value })}
        />
      </div>
      <RecordList
        label="Providers"
        columns={columns}
        keyOf={(provider) => provider.provider_slug}
        list={{
          items: found,
          isLoading: all.isPending,
          problem: all.error,
          hasMore: false,
          isGrowing: false,
          grow: () => {},
          retry: () => void all.refetch(),
        }}
        empty={
          <EmptyNote title="No provider fits">
            {show === 'own'
              ? 'A provider that the catalogue lacks can be added, often with its issuer alone.'
              : 'Search for another name, or add a provider of your own.'}
          </EmptyNote>
        }
      />
    </>
  )
}
