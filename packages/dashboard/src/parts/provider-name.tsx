import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { providerNamesKey, readProviderNames } from '../api/providers.ts'

const freshMs = 5 * 60_000
const none: ReadonlyMap<string, string> = new Map()

/** What people call each provider, by its slug, in the order of the names; empty until it is known. */
export function useProviderNames(): ReadonlyMap<string, string> {
  const names = useQuery({
    queryKey: providerNamesKey,
    queryFn: ({ signal }) => readProviderNames(signal),
    staleTime: freshMs,
  })
  return names.data ?? none
}

/** A provider by its name, with its slug on hover; by its slug where it is gone. */
export function ProviderName({ slug }: { readonly slug: string }): ReactNode {
  return (
    <span title={slug} className="wrap-anywhere">
      {useProviderNames().get(slug) ?? slug}
    </span>
  )
}
