import { plusMs } from '../core/clock.ts'
import { handleDigest, randomHandle, tenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import { Secret } from '../core/secret.ts'
import { addAuditEntry } from '../store/audit.ts'
import { addLoginLink, takeLoginLink, type LoginLink } from '../store/login-links.ts'
import type { Context } from './context.ts'

const linkLifeMs = 15 * 60_000

/** Makes a one-time link to the dashboard. The code stands in the fragment, so that no server ever logs it. */
export async function makeLoginLink(
  context: Pick<Context, 'database' | 'clock' | 'settings'>,
  who: LoginLink,
): Promise<Secret> {
  const code = randomHandle()
  const tenant = tenantId(who.tenantId)
  const now = context.clock.now()
  await context.database.transaction(tenant, async (db) => {
    await addLoginLink(db, tenant, {
      digest: handleDigest(code),
      subject: who.subject,
      scope: who.scope,
      expiresAt: plusMs(now, linkLifeMs),
    })
    await addAuditEntry(db, tenant, entry('login_link.created', who), now)
  })
  return new Secret(`${context.settings.publicUrl}/#login_code=${code}`)
}

/** Uses a link up. Throws 401 `unauthorized` when it is unknown, used or expired. */
export async function redeemLoginLink(context: Pick<Context, 'database' | 'clock'>, code: string): Promise<LoginLink> {
  const now = context.clock.now()
  const link = await context.database.systemTransaction(async (db) => {
    const taken = await takeLoginLink(db, handleDigest(code), now)
    if (taken !== undefined) await addAuditEntry(db, tenantId(taken.tenantId), entry('login_link.used', taken), now)
    return taken
  })
  if (link !== undefined) return link
  throw new Problem('unauthorized', {
    detail: 'This sign-in link was used or has expired; make another with: npx connector-oauth login-link',
  })
}

/** The link itself has no name but its code; the record says whom it signs in, and to what. */
function entry(action: string, { tenantId: tenant, subject, scope }: LoginLink) {
  // Whoever has the link is that person to this service; who made it at the command line nobody knows.
  const actorId = action === 'login_link.used' ? subject : undefined
  const about = { resourceType: 'tenant', resourceId: tenant, place: undefined } as const
  return { action, actorId, ...about, metadata: { subject, scope } }
}
