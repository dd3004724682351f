import type { ProviderSlug } from '../core/ids.ts'
import { providerSlug } from '../core/ids.ts'
import type { ProviderDefinition } from '../core/provider-definition.ts'
import { openVariables } from '../providers/connection-variables.ts'
import type { StoredProviderApp } from '../store/provider-apps.ts'
import type { DeploymentApp, FlowSettings } from './context.ts'
import { fixedVariables, isAppComplete } from './provider-client.ts'
import { ownCallback } from './redirect-target.ts'

/** What a form needs to ask for a value. */
interface UrlVariableView {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly pattern: string
  readonly example: string | null
  readonly default: string | null
  readonly allowed: readonly string[] | null
  readonly per: 'connection' | 'app'
}

/** A provider as an administrator sees it; `has_secret` is all that is ever said of the secret. */
export interface AdminProviderView {
  readonly id: string
  readonly provider_slug: string
  readonly display_name: string
  readonly auth_type: 'oauth2'
  readonly execution_strategy: 'authorization_code'
  readonly default_scopes: readonly { readonly name: string; readonly description: string }[]
  readonly config_schema: object
  readonly setup_complete: boolean
  readonly redirect_uri: string
  readonly client_id: string | null
  readonly has_secret: boolean
  readonly has_own_client: boolean
  readonly scopes: readonly string[] | null
  readonly secret_audience: string | null
  readonly url_variables: readonly (UrlVariableView & { readonly value: string | null })[]
  readonly docs_url: string | null
  readonly setup_notes: readonly string[]
}

/** A provider as whoever connects sees it. */
export interface ProviderView {
  readonly provider_slug: string
  readonly display_name: string
  readonly logo_url: string | null
  readonly categories: readonly string[]
  readonly scopes: readonly { readonly name: string; readonly description: string }[]
  readonly setup_complete: boolean
  /** A value that an administrator fixed is the app's: nobody is to be asked for it. */
  readonly url_variables: readonly (UrlVariableView & { readonly required: boolean })[]
}

export function viewProvider(
  definition: ProviderDefinition,
  stored: StoredProviderApp | undefined,
  deployment: DeploymentApp | undefined,
): ProviderView {
  const open = openVariables(definition, fixedVariables(stored, deployment))
  return {
    provider_slug: definition.slug,
    display_name: definition.display_name,
    logo_url: null,
    categories: definition.categories,
    scopes: describeScopes(definition, stored?.scopes ?? deployment?.scopes ?? definition.default_scopes),
    setup_complete: isAppComplete(definition, stored, deployment),
    url_variables: viewVariables(definition).map((variable) => {
      const isOpen = open.includes(variable.name)
      return { ...variable, per: isOpen ? 'connection' : 'app', required: isOpen && variable.default === null }
    }),
  }
}

function viewVariables(definition: ProviderDefinition): UrlVariableView[] {
  return Object.entries(definition.url_variables ?? {}).map(([name, variable]) => ({
    name,
    title: variable.title ?? name,
    description: variable.description,
    pattern: variable.pattern,
    example: variable.example ?? null,
    default: variable.default ?? null,
    allowed: variable.allowed ?? null,
    per: variable.per ?? 'app',
  }))
}

export function viewProviderForAdmin(
  settings: Pick<FlowSettings, 'publicUrl' | 'deploymentApps'>,
  definition: ProviderDefinition,
  stored: StoredProviderApp | undefined,
): AdminProviderView {
  const deployment = settings.deploymentApps.get(definition.slug)
  const slug: ProviderSlug = providerSlug(definition.slug)
  const isOwn = stored?.clientId !== undefined
  const fixed = new Map(Object.entries(fixedVariables(stored, deployment)))
  return {
    id: definition.slug,
    provider_slug: definition.slug,
    display_name: definition.display_name,
    auth_type: 'oauth2',
    execution_strategy: 'authorization_code',
    default_scopes: describeScopes(definition, definition.default_scopes),
    config_schema: configSchema(definition),
    setup_complete: isAppComplete(definition, stored, deployment),
    redirect_uri: ownCallback(settings.publicUrl, slug),
    client_id: (isOwn ? stored.clientId : deployment?.clientId) ?? null,
    has_own_client: isOwn,
    has_secret: (isOwn ? stored.clientSecret : deployment?.clientSecret) !== undefined,
    scopes: stored?.scopes ?? deployment?.scopes ?? null,
    secret_audience: isOwn ? (stored.secretOrigin ?? null) : null,
    url_variables: viewVariables(definition).map((variable) => ({
      ...variable,
      value: fixed.get(variable.name) ?? null,
    })),
    docs_url: definition.docs_url ?? null,
    setup_notes: definition.setup_notes ?? [],
  }
}

/** JSON Schema of what `PATCH` takes for this provider. */
function configSchema(definition: ProviderDefinition): object {
  const variables = Object.entries(definition.url_variables ?? {})
  return {
    type: 'object',
    properties: {
      client_id: { type: 'string' },
      client_secret: { type: 'string', writeOnly: true },
      scopes: { type: 'array', items: { type: 'string' } },
      url_variables: {
        type: 'object',
        properties: Object.fromEntries(variables.map(([name, variable]) => [name, variableSchema(variable)])),
        required: variables
          .filter(([, variable]) => variable.default === undefined && variable.per !== 'connection')
          .map(([name]) => name),
        additionalProperties: false,
      },
    },
    required: definition.client_auth === 'none' ? ['client_id'] : ['client_id', 'client_secret'],
  }
}

type UrlVariable = NonNullable<ProviderDefinition['url_variables']>[string]

function variableSchema(variable: UrlVariable): object {
  const { title, description, pattern, example, default: fallback, allowed } = variable
  return {
    type: 'string',
    ...(title === undefined ? {} : { title }),
    description,
    pattern,
    ...(example === undefined ? {} : { examples: [example] }),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(allowed === undefined ? {} : { enum: allowed }),
  }
}

export function describeScopes(definition: ProviderDefinition, names: readonly string[]) {
  const described = new Map((definition.scopes ?? []).map((scope) => [scope.name, scope.description]))
  return names.map((name) => ({ name, description: described.get(name) ?? '' }))
}
