import { providerSlug, type ProviderSlug, type TenantId } from '../core/ids.ts'
import { listRedirectUris, replaceRedirectUris, type RedirectUri } from '../store/redirect-uris.ts'
import type { Context } from './context.ts'
import { InvalidFields, type FieldProblem } from './invalid-fields.ts'
import { recordAdminAct } from './record-admin-act.ts'
import { requireRight, type Principal } from './principal.ts'
import { findDefinition } from './provider-client.ts'
import { ownCallback } from './redirect-target.ts'

/** An entry of the record stays small however long the list is. */
const shownUris = 20

type Needs = Pick<Context, 'catalog' | 'clock' | 'database' | 'settings'>

/** An entry as it came: well-formed, not yet judged. */
export interface RedirectUriEntry {
  readonly uri: string
  readonly kind: 'landing' | 'callback'
  readonly provider_slug?: string
}

export async function readRedirectUris(context: Needs, principal: Principal): Promise<RedirectUri[]> {
  requireRight(principal, 'connectors:admin')
  return listRedirectUris(context.database.tenant(principal.tenantId), principal.tenantId)
}

/** Replaces the tenant's list. Throws 422 with every problem of every entry. */
export async function writeRedirectUris(
  context: Needs,
  principal: Principal,
  entries: readonly RedirectUriEntry[],
): Promise<RedirectUri[]> {
  requireRight(principal, 'connectors:admin')
  const { tenantId } = principal
  const judged = await Promise.all(entries.map((entry, index) => judge(context, tenantId, entries, index, entry)))
  const problems = judged.flatMap((result) => ('uri' in result ? [] : result))
  if (problems.length > 0) throw new InvalidFields(problems)
  const accepted = judged.flatMap((result) => ('uri' in result ? result : []))
  await context.database.transaction(tenantId, async (db) => {
    await replaceRedirectUris(db, tenantId, accepted)
    await recordAdminAct(context, db, principal, {
      action: 'tenant.redirect_uris_replaced',
      resourceType: 'tenant',
      resourceId: tenantId,
      metadata: { entries: accepted.length, uris: accepted.slice(0, shownUris).map((entry) => entry.uri) },
    })
  })
  return listRedirectUris(context.database.tenant(tenantId), tenantId)
}

async function judge(
  context: Needs,
  tenantId: TenantId,
  all: readonly RedirectUriEntry[],
  index: number,
  entry: RedirectUriEntry,
): Promise<RedirectUri | FieldProblem[]> {
  const at = (field: string, msg: string, type: string): FieldProblem => ({ loc: ['body', index, field], msg, type })
  const problems: FieldProblem[] = []
  const refusal = refusalOf(entry.uri, context.settings.allowsLoopbackHttp)
  if (refusal !== undefined) problems.push(at('uri', refusal.msg, refusal.type))
  if (all.findIndex((other) => other.uri === entry.uri) !== index) {
    problems.push(at('uri', 'the same uri was given twice; one uri belongs to one entry', 'value_error.duplicate'))
  }
  if (entry.kind === 'landing') {
    if (entry.provider_slug !== undefined) {
      problems.push(at('provider_slug', 'extra fields not permitted', 'value_error.extra'))
    }
    return problems.length > 0 ? problems : { uri: entry.uri, kind: 'landing' }
  }
  if (entry.provider_slug === undefined) {
    problems.push(at('provider_slug', 'field required', 'value_error.missing'))
  } else if ((await findDefinition(context, tenantId, providerSlug(entry.provider_slug))) === undefined) {
    problems.push(at('provider_slug', 'there is no such provider', 'value_error'))
  } else if (belongsToAnother(context.settings.publicUrl, entry.uri, providerSlug(entry.provider_slug))) {
    problems.push(at('uri', 'this is the callback of another provider', 'value_error'))
  }
  if (problems.length > 0 || entry.provider_slug === undefined) return problems
  return { uri: entry.uri, kind: 'callback', provider_slug: entry.provider_slug }
}

/**
 * Whether a callback entry would take over a redirect URI of this service that another provider's client has registered.
 *
 * A tenant's own provider could then send users to the honest one under the honest client's name (COAT).
 */
function belongsToAnother(publicUrl: string, uri: string, slug: ProviderSlug): boolean {
  if (uri === ownCallback(publicUrl, slug)) return false
  const url = URL.parse(uri)
  if (url?.origin !== new URL(publicUrl).origin) return false
  // The router decodes what is encoded, so an encoded path leads to the same place.
  return /\/connectors\/oauth\/|%/.test(url.pathname)
}

/** Exact https strings; http only on loopback in development (RFC 8252 §7.3); no fragment, user info or wildcard. */
function refusalOf(
  uri: string,
  allowsLoopbackHttp: boolean,
): { readonly msg: string; readonly type: string } | undefined {
  const url = URL.parse(uri)
  if (url === null || !/^https?:\/\//.test(uri)) {
    return { msg: 'invalid or missing URL scheme', type: 'value_error.url.scheme' }
  }
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol !== 'https:' && !(isLoopback && allowsLoopbackHttp)) {
    return { msg: 'invalid or missing URL scheme', type: 'value_error.url.scheme' }
  }
  if (url.username !== '' || url.password !== '' || uri.includes('@')) {
    return { msg: 'user info is not permitted', type: 'value_error.url.userinfo' }
  }
  if (uri.includes('#')) return { msg: 'a fragment is not permitted', type: 'value_error.url.extra' }
  if (uri.includes('*') || /[\s\\]/.test(uri)) {
    return { msg: 'wildcards, spaces and backslashes are not permitted', type: 'value_error.url.extra' }
  }
  return undefined
}
