import type { TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'

/** The answer given to an earlier request with the same key. */
export interface StoredAnswer {
  readonly requestDigest: Buffer
  readonly status: number
  readonly body: unknown
}

const lockKey = statement('idempotency_keys.lock', 'select pg_advisory_xact_lock(hashtextextended($1, 0))')
const selectOne = statement(
  'idempotency_keys.find',
  `select request_digest, response_status, response_body
   from idempotency_keys
   where tenant_id = $1 and principal_issuer = $2 and principal_subject = $3 and idempotency_key = $4`,
)
const insertOne = statement(
  'idempotency_keys.add',
  `insert into idempotency_keys
     (tenant_id, principal_issuer, principal_subject, idempotency_key, request_digest, response_status, response_body, created_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8)`,
)
const deleteOld = statement('idempotency_keys.purge', 'delete from idempotency_keys where created_at < $1')

export interface IdempotencyScope {
  readonly tenantId: TenantId
  readonly issuer: string
  readonly subject: string
  readonly key: string
}

/** Waits for a request with the same key that runs now, then answers what it stored; run it in a transaction. */
export async function takeIdempotencyKey(db: Db, scope: IdempotencyScope): Promise<StoredAnswer | undefined> {
  const { tenantId, issuer, subject, key } = scope
  await db.query(lockKey, [JSON.stringify(['idempotency', tenantId, issuer, subject, key])])
  const [row] = await db.query<{ request_digest: Buffer; response_status: number; response_body: string }>(selectOne, [
    tenantId,
    issuer,
    subject,
    key,
  ])
  return row && { requestDigest: row.request_digest, status: row.response_status, body: JSON.parse(row.response_body) }
}

export async function storeAnswer(db: Db, scope: IdempotencyScope, answer: StoredAnswer, now: Date): Promise<void> {
  const { tenantId, issuer, subject, key } = scope
  // The column holds JSON text as one string: as an object it would come back with its fields in another order.
  const body = JSON.stringify(JSON.stringify(answer.body))
  await db.query(insertOne, [tenantId, issuer, subject, key, answer.requestDigest, answer.status, body, now])
}

export async function purgeIdempotencyKeys(db: Db, before: Date): Promise<void> {
  await db.query(deleteOld, [before])
}
