import type { Static } from 'typebox'
import type { AuditEntry as AuditEntrySchema, AuditKeysBody } from '@connector-oauth/contract/audit.ts'
import { call, send } from './call.ts'

export type AuditEntry = Static<typeof AuditEntrySchema>
export type AuditKey = Static<typeof AuditKeysBody>['data'][number]

export const auditPath = '/v1/admin/audit'

export async function readAuditKeys(signal: AbortSignal): Promise<readonly AuditKey[]> {
  return (await call<{ data: readonly AuditKey[] }>('GET', `${auditPath}/keys`, { signal })).data
}

/** The whole record, as JSON lines that can be verified offline. */
export async function exportAudit(): Promise<Blob> {
  return (await send('GET', `${auditPath}/export`)).blob()
}
