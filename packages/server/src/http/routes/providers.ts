import type { FastifyInstance } from 'fastify'
import {
  AdminProviderBody,
  AdminProviderList,
  PatchProviderBody,
  ProviderList,
  ProviderQuery,
  RedirectUris,
  RedirectUrisBody,
} from '@connector-oauth/contract/providers.ts'
import { ProviderParams } from '@connector-oauth/contract/oauth.ts'
import { providerSlug } from '../../core/ids.ts'
import { Secret } from '../../core/secret.ts'
import { addCustomProvider, type CustomProvider } from '../../domain/add-custom-provider.ts'
import { listProviders, listProvidersForAdmin } from '../../domain/list-providers.ts'
import { changeProviderApp, readProviderForAdmin, removeProvider } from '../../domain/provider-apps.ts'
import { readRedirectUris, writeRedirectUris } from '../../domain/redirect-uris.ts'
import { PostedProvider } from '../custom-provider-body.ts'
import type { HttpContext } from '../http-context.ts'
import { wholeList } from '../paging.ts'
import { addApiRoute } from '../route.ts'

const admin = '/v1/admin/connector-providers'
const tag = 'Providers'

export function providerRoutes(app: FastifyInstance, http: HttpContext): void {
  addApiRoute(app, http, {
    method: 'GET',
    url: '/v1/connector-providers',
    tag,
    summary: 'List the providers this tenant can use',
    schemas: { query: ProviderQuery },
    status: 200,
    response: ProviderList,
    async handle({ principal, query }) {
      const { provider_slug: only } = query
      const providers = await listProviders(http.flows, principal)
      return wholeList(only === undefined ? providers : providers.filter((one) => one.provider_slug === only))
    },
  })

  addApiRoute(app, http, {
    method: 'GET',
    url: admin,
    tag,
    summary: 'List providers with their set-up',
    schemas: {},
    status: 200,
    response: AdminProviderList,
    async handle({ principal }) {
      return wholeList(await listProvidersForAdmin(http.flows, principal))
    },
  })

  /** `issuer` alone is enough for a provider that can be discovered. */
  addApiRoute(app, http, {
    method: 'POST',
    url: admin,
    tag,
    summary: 'Add a provider of the tenant’s own',
    schemas: { body: PostedProvider },
    status: 201,
    response: AdminProviderBody,
    async handle({ principal, body }) {
      const { client_id: clientId, client_secret: clientSecret, ...custom } = body
      const credentials = { clientId, clientSecret: clientSecret === undefined ? undefined : new Secret(clientSecret) }
      // Judged field by field by the catalogue's own checks before anything is stored.
      return { data: await addCustomProvider(http.flows, principal, custom as CustomProvider, credentials) }
    },
  })

  addApiRoute(app, http, {
    method: 'GET',
    url: `${admin}/:provider_slug`,
    tag,
    summary: 'Read a provider’s set-up',
    schemas: { params: ProviderParams },
    status: 200,
    response: AdminProviderBody,
    async handle({ principal, params }) {
      return { data: await readProviderForAdmin(http.flows, principal, providerSlug(params.provider_slug)) }
    },
  })

  addApiRoute(app, http, {
    method: 'PATCH',
    url: `${admin}/:provider_slug`,
    tag,
    summary: 'Set the tenant’s provider app',
    schemas: { params: ProviderParams, body: PatchProviderBody },
    status: 200,
    response: AdminProviderBody,
    async handle({ principal, params, body }) {
      const view = await changeProviderApp(http.flows, principal, providerSlug(params.provider_slug), {
        clientId: body.client_id,
        clientSecret: body.client_secret ? new Secret(body.client_secret) : (body.client_secret as null | undefined),
        scopes: body.scopes,
        urlVariables: body.url_variables,
      })
      return { data: view }
    },
  })

  addApiRoute(app, http, {
    method: 'DELETE',
    url: `${admin}/:provider_slug`,
    tag,
    summary: 'Forget the tenant’s provider app, or its own provider',
    schemas: { params: ProviderParams },
    status: 204,
    response: {},
    async handle({ principal, params }) {
      await removeProvider(http.flows, principal, providerSlug(params.provider_slug))
      return undefined
    },
  })

  addApiRoute(app, http, {
    method: 'GET',
    url: '/v1/admin/tenant/redirect-uris',
    tag: 'Tenant',
    summary: 'Read the registered redirect URIs',
    schemas: {},
    status: 200,
    response: RedirectUrisBody,
    async handle({ principal }) {
      return { data: await readRedirectUris(http.flows, principal) }
    },
  })

  addApiRoute(app, http, {
    method: 'PUT',
    url: '/v1/admin/tenant/redirect-uris',
    tag: 'Tenant',
    summary: 'Replace the registered redirect URIs',
    schemas: { body: RedirectUris },
    status: 200,
    response: RedirectUrisBody,
    async handle({ principal, body }) {
      return { data: await writeRedirectUris(http.flows, principal, body) }
    },
  })
}
