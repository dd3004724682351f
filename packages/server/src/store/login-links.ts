import type { TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'

/** Whom a one-time sign-in link signs in. */
export interface LoginLink {
  readonly tenantId: string
  readonly subject: string
  readonly scope: string
}

const insertOne = statement(
  'login_links.add',
  `insert into login_links (tenant_id, code_digest, subject, scope, expires_at)
   values ($1, $2, $3, $4, $5)`,
)
const takeOne = statement(
  'login_links.take',
  `delete from login_links
   where code_digest = $1
   returning tenant_id, subject, scope, expires_at`,
)
const deleteExpired = statement('login_links.purge', 'delete from login_links where expires_at < $1')

export async function addLoginLink(
  db: Db,
  tenantId: TenantId,
  link: { readonly digest: Buffer; readonly subject: string; readonly scope: string; readonly expiresAt: Date },
): Promise<void> {
  await db.query(insertOne, [tenantId, link.digest, link.subject, link.scope, link.expiresAt])
}

/** Uses a link up; `undefined` when it is unknown, used or expired. */
export async function takeLoginLink(system: Db, digest: Buffer, now: Date): Promise<LoginLink | undefined> {
  const [row] = await system.query<{ tenant_id: string; subject: string; scope: string; expires_at: Date }>(takeOne, [
    digest,
  ])
  if (row === undefined || row.expires_at <= now) return undefined
  return { tenantId: row.tenant_id, subject: row.subject, scope: row.scope }
}

export async function purgeLoginLinks(system: Db, now: Date): Promise<void> {
  await system.query(deleteExpired, [now])
}
