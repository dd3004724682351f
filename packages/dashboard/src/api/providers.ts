import type { Static } from 'typebox'
import type {
  AdminProvider as AdminProviderSchema,
  Provider as ProviderSchema,
} from '@connector-oauth/contract/providers.ts'
import { call } from './call.ts'

export type AdminProvider = Static<typeof AdminProviderSchema>
export type Provider = Static<typeof ProviderSchema>

const base = '/v1/admin/connector-providers'

export const providersKey = ['providers'] as const

/** Every provider of the tenant with its set-up, and what those who connect see of it. */
export async function readProviders(
  signal: AbortSignal,
): Promise<readonly (AdminProvider & Pick<Provider, 'categories'>)[]> {
  const [admin, open] = await Promise.all([
    call<{ data: readonly AdminProvider[] }>('GET', base, { signal }),
    call<{ data: readonly Provider[] }>('GET', '/v1/connector-providers', { signal }),
  ])
  const categories = new Map(open.data.map((provider) => [provider.provider_slug, provider.categories]))
  return admin.data.map((provider) => ({ ...provider, categories: categories.get(provider.provider_slug) ?? [] }))
}

const collator = new Intl.Collator('en', { numeric: true })

/** As people look things up: capitals and accents change nothing. */
export function byName(a: Pick<Provider, 'display_name'>, b: Pick<Provider, 'display_name'>): number {
  return collator.compare(a.display_name, b.display_name)
}

/** `names` cannot be taken for a provider's slug, which would stand there as text. */
export const providerNamesKey = [...providersKey, { part: 'names' }] as const

/** What people call each provider, by its slug, in the order of the names. */
export async function readProviderNames(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const { data } = await call<{ data: readonly Provider[] }>('GET', '/v1/connector-providers', { signal })
  return new Map(data.toSorted(byName).map((provider) => [provider.provider_slug, provider.display_name]))
}

export async function readProvider(slug: string, signal: AbortSignal): Promise<AdminProvider> {
  return (await call<{ data: AdminProvider }>('GET', `${base}/${encodeURIComponent(slug)}`, { signal })).data
}

export interface ProviderChange {
  readonly client_id?: string
  readonly client_secret?: string
  readonly scopes?: readonly string[] | null
  readonly url_variables?: Readonly<Record<string, string | null>>
}

export async function changeProvider(slug: string, change: ProviderChange): Promise<AdminProvider> {
  return (await call<{ data: AdminProvider }>('PATCH', `${base}/${encodeURIComponent(slug)}`, { body: change })).data
}

export async function addProvider(provider: Readonly<Record<string, unknown>>): Promise<AdminProvider> {
  return (await call<{ data: AdminProvider }>('POST', base, { body: provider })).data
}

export function removeProvider(slug: string): Promise<void> {
  return call('DELETE', `${base}/${encodeURIComponent(slug)}`)
}

/** What is filled into a provider's addresses. */
export type UrlVariable = AdminProvider['url_variables'][number]

/** What nobody has set, so that a connection must bring it. */
export function askedPerConnection(provider: AdminProvider): readonly UrlVariable[] {
  return provider.url_variables.filter(({ per, value }) => per === 'connection' && value === null)
}

/** What a connection must bring, and a connector to be connected again does not have, or no longer in a form that fits. */
export function missingFor(provider: AdminProvider, known: Readonly<Record<string, string>>): readonly UrlVariable[] {
  return askedPerConnection(provider).filter(({ name, pattern, default: fallback }) => {
    const value = known[name]
    return value === undefined ? fallback === null : !fits(pattern, value)
  })
}

/** The service judges for itself; a pattern that the browser reads otherwise hinders nobody. */
export function fits(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value)
  } catch {
    return true
  }
}

/** What was typed, without what was left empty. */
export function filled(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''))
}

/** A provider without a client secret is a public client at its provider. */
export function needsSecret(provider: AdminProvider): boolean {
  const { required = [] } = provider.config_schema as { readonly required?: readonly string[] }
  return required.includes('client_secret')
}

/** The tenant's own providers have slugs of their own making. */
export function isCustom(slug: string): boolean {
  return slug.startsWith('c-')
}

/** The sandbox with the client that it came with; a tenant can have set one of its own, which it can forget. */
export function isSandbox(provider: AdminProvider): boolean {
  return provider.provider_slug === 'sandbox' && !provider.has_own_client
}
