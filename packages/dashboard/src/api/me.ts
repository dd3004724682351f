import { useQuery } from '@tanstack/react-query'
import type { Static } from 'typebox'
import type { Me as MeSchema } from '@connector-oauth/contract/deployment.ts'
import { call } from './call.ts'

/** What the bearer token says of whoever is signed in. */
export type Me = Static<typeof MeSchema>['data']

export function useMe(): Me | undefined {
  const me = useQuery({
    queryKey: ['me'],
    staleTime: Infinity,
    queryFn: async ({ signal }) => (await call<{ data: Me }>('GET', '/v1/me', { signal })).data,
  })
  return me.data
}

/** Whether something may be offered; the service judges for itself. */
export function useHasRight(right: string): boolean {
  return useMe()?.rights.includes(right) ?? false
}
