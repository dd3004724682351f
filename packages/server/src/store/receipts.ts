import type { TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'
import type { TimeCursor } from './events.ts'
import type { RevocationRow } from './rows.ts'

/** What became of one connector. */
export type Receipt = Pick<
  RevocationRow,
  | 'revocation_id'
  | 'connector_id'
  | 'space_id'
  | 'collection_id'
  | 'provider_slug'
  | 'status'
  | 'reason'
  | 'attempts'
  | 'created_at'
  | 'finished_at'
>

const selectReceipts = statement(
  'mass_revocations.receipts',
  `select revocation_id, connector_id, space_id, collection_id, provider_slug, status, reason, attempts, created_at,
          finished_at
   from revocations
   where tenant_id = $1 and mass_revocation_id = $2
     and ($3::timestamptz is null or (created_at, revocation_id) > ($3, $4::text))
   order by created_at, revocation_id
   limit $5`,
)

/** One page of an order's receipts, in the order in which connectors were disconnected. */
export async function pageReceipts(
  db: Db,
  tenantId: TenantId,
  id: string,
  page: { readonly after: TimeCursor | undefined; readonly limit: number },
): Promise<Receipt[]> {
  return db.query<Receipt>(selectReceipts, [
    tenantId,
    id,
    page.after?.createdAt ?? null,
    page.after?.id ?? null,
    page.limit,
  ])
}
