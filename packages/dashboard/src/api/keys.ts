import type { Static } from 'typebox'
import type { Keys as KeysSchema } from '@connector-oauth/contract/keys.ts'
import { call } from './call.ts'

export type Keys = Static<typeof KeysSchema>['data']

export async function readKeys(signal: AbortSignal): Promise<Keys> {
  return (await call<{ data: Keys }>('GET', '/v1/admin/keys', { signal })).data
}

/** A new data key for this tenant, unless it got one a moment ago; what the old ones sealed is sealed anew in the background. */
export async function rotateKeys(): Promise<Keys['data_keys'][number]> {
  return (await call<{ data: Keys['data_keys'][number] }>('POST', '/v1/admin/keys/rotate')).data
}
