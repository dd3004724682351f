import { plusMs } from '../core/clock.ts'
import { handleDigest, randomHandle, tenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import { Secret } from '../core/secret.ts'
import { addLoginLink, takeLoginLink, type LoginLink } from '../store/login-links.ts'
import type { Context } from './context.ts'

const linkLifeMs = 15 * 60_000

/** Makes a one-time link to the first page. The code stands in the fragment, so that no server ever logs it. */
export async function makeLoginLink(
  context: Pick<Context, 'database' | 'clock' | 'settings'>,
  who: LoginLink,
): Promise<Secret> {
  const code = randomHandle()
  const tenant = tenantId(who.tenantId)
  await addLoginLink(context.database.tenant(tenant), tenant, {
    digest: handleDigest(code),
    subject: who.subject,
    scope: who.scope,
    expiresAt: plusMs(context.clock.now(), linkLifeMs),
  })
  return new Secret(`${context.settings.publicUrl}/#login_code=${code}`)
}

/** Uses a link up. Throws 401 `unauthorized` when it is unknown, used or expired. */
export async function redeemLoginLink(context: Pick<Context, 'database' | 'clock'>, code: string): Promise<LoginLink> {
  const link = await takeLoginLink(context.database.system, handleDigest(code), context.clock.now())
  if (link !== undefined) return link
  throw new Problem('unauthorized', {
    detail: 'This sign-in link was used or has expired; make another with: npx connector-oauth login-link',
  })
}
