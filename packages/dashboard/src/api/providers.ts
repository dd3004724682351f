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

/** A provider without a client secret is a public client at its provider. */
export function needsSecret(provider: AdminProvider): boolean {
  const { required = [] } = provider.config_schema as { readonly required?: readonly string[] }
  return required.includes('client_secret')
}

/** The tenant's own providers have slugs of their own making. */
export function isCustom(slug: string): boolean {
  return slug.startsWith('c-')
}
