import { providerSlug, type ProviderSlug, type TenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { ProviderDefinition } from '../core/provider-definition.ts'
import type { Secret } from '../core/secret.ts'
import { removeCustomProvider } from '../store/custom-providers.ts'
import type { Db } from '../store/database.ts'
import { addEvent } from '../store/events.ts'
import {
  findProviderApp,
  lockProviderApp,
  removeProviderApp,
  saveProviderApp,
  type StoredProviderApp,
} from '../store/provider-apps.ts'
import { clientSecretPlace, isStillMeant, secretAudience } from './client-secret.ts'
import type { Context } from './context.ts'
import { misfit } from './connection-values.ts'
import { InvalidFields, type FieldProblem } from './invalid-fields.ts'
import { requireRight, type Principal } from './principal.ts'
import { findDefinition } from './provider-client.ts'
import { viewProviderForAdmin, type AdminProviderView } from './provider-view.ts'
import { understandValue } from './understand-value.ts'

/** What an administrator may set; an absent field stays, `null` clears. */
export interface ProviderAppChange {
  readonly clientId?: string | null | undefined
  readonly clientSecret?: Secret | null | undefined
  readonly scopes?: readonly string[] | null | undefined
  /** `null` leaves a value to those who connect, or to the default. */
  readonly urlVariables?: Readonly<Record<string, string | null>> | undefined
}

type Needs = Pick<Context, 'catalog' | 'database' | 'vault' | 'clock' | 'settings'>

export async function readProviderForAdmin(
  context: Needs,
  principal: Principal,
  slug: ProviderSlug,
): Promise<AdminProviderView> {
  requireRight(principal, 'connectors:admin')
  const definition = await requireDefinition(context, principal.tenantId, slug)
  const stored = await findProviderApp(context.database.tenant(principal.tenantId), principal.tenantId, slug)
  return viewProviderForAdmin(context.settings, definition, stored)
}

/**
 * Sets the tenant's provider app.
 *
 * A secret belongs to where it was entered for (`secretAudience`): when URL variables move or widen that, or the client id
 * changes, a secret that is not given anew is forgotten.
 */
export async function changeProviderApp(
  context: Needs,
  principal: Principal,
  slug: ProviderSlug,
  change: ProviderAppChange,
): Promise<AdminProviderView> {
  requireRight(principal, 'connectors:admin')
  const { tenantId } = principal
  const definition = await requireDefinition(context, tenantId, slug)
  const urlVariables = understandVariables(definition, change.urlVariables)
  if (change.clientSecret) await context.vault.prepare(tenantId)
  const saved = await context.database.transaction(tenantId, async (db) => {
    const known = await lockProviderApp(db, tenantId, slug)
    const app = await applyChange(context, tenantId, definition, known, { ...change, urlVariables })
    await saveProviderApp(db, tenantId, app, context.clock.now())
    const eventType = known === undefined ? 'provider_app.created' : 'provider_app.updated'
    await tell(context, db, principal, { slug, eventType, metadata: { fields: changedFields(known, app) } })
    return app
  })
  return viewProviderForAdmin(context.settings, definition, saved)
}

/** Forgets the tenant's provider app, and the provider itself where it is the tenant's own. */
export async function removeProvider(context: Needs, principal: Principal, slug: ProviderSlug): Promise<void> {
  requireRight(principal, 'connectors:admin')
  const { tenantId } = principal
  await requireDefinition(context, tenantId, slug)
  await context.database.transaction(tenantId, async (db) => {
    await removeProviderApp(db, tenantId, slug)
    await removeCustomProvider(db, tenantId, slug)
    await tell(context, db, principal, { slug, eventType: 'provider_app.deleted', metadata: {} })
  })
}

async function requireDefinition(context: Needs, tenantId: TenantId, slug: ProviderSlug): Promise<ProviderDefinition> {
  const definition = await findDefinition(context, tenantId, slug)
  if (definition === undefined) throw new Problem('provider_unknown')
  return definition
}

/** What was pasted is understood as for a connection. Throws 422 for what is unknown or does not fit. */
function understandVariables(
  definition: ProviderDefinition,
  values: Readonly<Record<string, string | null>> | undefined,
): Readonly<Record<string, string | null>> | undefined {
  const problems: FieldProblem[] = []
  const understood = Object.entries(values ?? {}).map(([name, text]) => {
    const loc = ['body', 'url_variables', name]
    const known = definition.url_variables ?? {}
    const variable = Object.hasOwn(known, name) ? known[name] : undefined
    const value = variable && text !== null ? understandValue(definition, name, text) : null
    if (variable === undefined) problems.push({ loc, msg: 'extra fields not permitted', type: 'value_error.extra' })
    else if (value === undefined) problems.push({ loc, ...misfit(variable) })
    return [name, value ?? null] as const
  })
  if (problems.length > 0) throw new InvalidFields(problems)
  return values && Object.fromEntries(understood)
}

async function applyChange(
  context: Needs,
  tenantId: TenantId,
  definition: ProviderDefinition,
  known: StoredProviderApp | undefined,
  change: ProviderAppChange,
): Promise<StoredProviderApp> {
  const changed = Object.entries({ ...known?.urlVariables, ...change.urlVariables })
  const urlVariables = Object.fromEntries(changed.flatMap(([name, value]) => (value === null ? [] : [[name, value]])))
  const clientId = change.clientId === undefined ? known?.clientId : (change.clientId ?? undefined)
  const audience = secretAudience(definition, urlVariables)
  const base = {
    providerSlug: definition.slug,
    clientId,
    scopes: change.scopes === undefined ? known?.scopes : (change.scopes ?? undefined),
    urlVariables,
  }
  if (change.clientSecret && audience === undefined) {
    const loc = ['body', 'url_variables']
    throw new InvalidFields([{ loc, msg: 'field required', type: 'value_error.missing' }])
  }
  if (change.clientSecret && audience !== undefined) {
    const place = clientSecretPlace(tenantId, definition.slug, audience)
    return { ...base, clientSecret: await context.vault.seal(place, change.clientSecret), secretOrigin: audience }
  }
  const isSame = change.clientSecret === undefined && clientId === known?.clientId
  const kept = isSame ? known : undefined
  const isKept = kept?.secretOrigin !== undefined && isStillMeant(definition, urlVariables, kept.secretOrigin)
  return {
    ...base,
    clientSecret: isKept ? kept.clientSecret : undefined,
    secretOrigin: isKept ? kept.secretOrigin : undefined,
  }
}

/** The API's names of what became different, a secret that was forgotten among them; never a value. */
function changedFields(before: StoredProviderApp | undefined, after: StoredProviderApp): readonly string[] {
  const areDifferent = {
    client_id: before?.clientId !== after.clientId,
    // A secret that stays is the very same sealed bytes; one that is given again is sealed anew.
    client_secret: before?.clientSecret !== after.clientSecret,
    scopes: JSON.stringify(before?.scopes) !== JSON.stringify(after.scopes),
    url_variables: JSON.stringify(before?.urlVariables ?? {}) !== JSON.stringify(after.urlVariables),
  }
  return Object.entries(areDifferent).flatMap(([name, isDifferent]) => (isDifferent ? [name] : []))
}

async function tell(
  context: Needs,
  db: Db,
  principal: Principal,
  about: {
    readonly slug: ProviderSlug
    readonly eventType: string
    readonly metadata: Readonly<Record<string, unknown>>
  },
): Promise<void> {
  const { slug, eventType } = about
  await addEvent(
    db,
    principal.tenantId,
    {
      eventType,
      actorId: principal.subject,
      resourceType: 'provider_app',
      resourceId: providerSlug(slug),
      place: undefined,
      metadata: { provider_slug: slug, ...about.metadata },
    },
    context.clock.now(),
  )
}
