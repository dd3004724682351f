import type { TenantId } from '../core/ids.ts'
import type { ProviderDefinition } from '../core/provider-definition.ts'
import { resolveEndpoints } from '../oauth/endpoints.ts'
import { openVariables, originsOf } from '../providers/connection-variables.ts'
import type { Place } from '../vault/place.ts'

type Values = Readonly<Record<string, string>>

/** The secret's place names where it may go, so that it opens for nowhere else (security rule K3). */
export function clientSecretPlace(tenantId: TenantId, slug: string, audience: string): Place {
  return {
    purpose: 'provider-app',
    tenantId,
    spaceId: '',
    collectionId: '',
    subjectId: slug,
    field: `client_secret ${audience}`,
  }
}

/**
 * Where a secret goes that is entered now: the token endpoint's origin, or `https://*.<domain>` where those who connect
 * name its host. `undefined` while a variable is missing that only the app can bring.
 */
export function secretAudience(definition: ProviderDefinition, appVariables: Values): string | undefined {
  const open = openVariables(definition, appVariables)
  const resolved = resolveEndpoints(withoutDefaults(definition, open), appVariables)
  if (resolved.kind === 'incomplete' && namesOf(resolved).some((name) => !open.includes(name))) return undefined
  const { tokenUrl } = resolved.endpoints
  return originsOf(definition, tokenUrl, open) ?? new URL(tokenUrl).origin
}

/** Whether a secret entered for `audience` may go to the token endpoint of one connection. */
export function isMeantFor(
  definition: ProviderDefinition,
  appVariables: Values,
  audience: string,
  tokenUrl: string,
): boolean {
  return audience === new URL(tokenUrl).origin || audience === widestAudience(definition, appVariables)
}

/** Whether a secret entered for `audience` serves any connection that the app allows. */
export function isStillMeant(definition: ProviderDefinition, appVariables: Values, audience: string): boolean {
  // Entered for all hosts, it may go to the one that was fixed since.
  const own = [secretAudience(definition, appVariables), widestAudience(definition, appVariables)]
  if (own.includes(audience)) return true
  const resolved = resolveEndpoints(definition, appVariables)
  // Entered when nobody but the app could name another host than the default: it serves that host, as before.
  return resolved.kind === 'resolved' && audience === new URL(resolved.endpoints.tokenUrl).origin
}

function widestAudience(definition: ProviderDefinition, appVariables: Values): string | undefined {
  const everyOpen = openVariables(definition, {})
  return secretAudience(
    definition,
    Object.fromEntries(Object.entries(appVariables).filter(([name]) => !everyOpen.includes(name))),
  )
}

function withoutDefaults(definition: ProviderDefinition, open: readonly string[]): ProviderDefinition {
  const variables = Object.entries(definition.url_variables ?? {}).map(([name, variable]) => {
    const { default: _, ...rest } = variable
    return [name, open.includes(name) ? rest : variable] as const
  })
  return { ...definition, url_variables: Object.fromEntries(variables) }
}

const namesOf = (resolved: { readonly missing: readonly string[]; readonly invalid: readonly string[] }) => [
  ...resolved.missing,
  ...resolved.invalid,
]
