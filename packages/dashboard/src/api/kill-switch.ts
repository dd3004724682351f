import type { Static } from 'typebox'
import type {
  MassRevocation as MassRevocationSchema,
  MassRevocationBody,
  MassRevocationDetail,
} from '@connector-oauth/contract/mass-revocations.ts'
import { call, send } from './call.ts'

export type MassRevocation = Static<typeof MassRevocationSchema>
export type MassRevocationReceipt = Static<typeof MassRevocationDetail>['data']['receipts'][number]
export type MassRevocationFilter = Static<typeof MassRevocationBody>

export const revocationsPath = '/v1/admin/revocations'

/** Disconnects every connector that fits; the key makes a repeated click the same order. */
export async function orderRevocation(filter: MassRevocationFilter, idempotencyKey: string): Promise<MassRevocation> {
  const headers = { 'idempotency-key': idempotencyKey }
  return (await call<{ data: MassRevocation }>('POST', revocationsPath, { body: filter, headers })).data
}

export function readRevocation(id: string, signal: AbortSignal): Promise<Static<typeof MassRevocationDetail>> {
  return call('GET', `${revocationsPath}/${encodeURIComponent(id)}`, { query: { limit: 100 }, signal })
}

export async function downloadReport(id: string): Promise<Blob> {
  return (await send('GET', `${revocationsPath}/${encodeURIComponent(id)}/report`, { query: { format: 'csv' } })).blob()
}
