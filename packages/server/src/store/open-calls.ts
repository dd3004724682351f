import { statement, type Db } from './database.ts'

/** Of a call that is under way: what it lives by. */
export interface CallGrounds {
  readonly tenantId: string
  readonly connectorId: string
  /** Absent where no lease was used. */
  readonly leaseId: string | undefined
}

const selectEnded = statement(
  'open_calls.ended',
  `select (open.position - 1)::integer as index
   from unnest($1::text[], $2::text[], $3::text[]) with ordinality
     as open (tenant_id, connector_id, lease_id, position)
   where not exists (
       select
       from connectors
       where connectors.tenant_id = open.tenant_id and connectors.connector_id = open.connector_id
         and connectors.health <> 'disconnected')
     or open.lease_id is not null and not exists (
       select
       from leases
       where leases.tenant_id = open.tenant_id and leases.lease_id = open.lease_id and leases.revoked_at is null)`,
)

/** Which of these, by their place in the list, have lost their connector or their lease. */
export async function findEnded(system: Db, calls: readonly CallGrounds[]): Promise<number[]> {
  const rows = await system.query<{ readonly index: number }>(selectEnded, [
    calls.map((call) => call.tenantId),
    calls.map((call) => call.connectorId),
    calls.map((call) => call.leaseId ?? null),
  ])
  return rows.map((row) => row.index)
}
