import type { Static } from 'typebox'
import type { DeploymentSettings } from '@connector-oauth/contract/deployment.ts'
import type { RedirectUris as RedirectUrisSchema } from '@connector-oauth/contract/providers.ts'
import { call } from './call.ts'

export type RedirectUris = Static<typeof RedirectUrisSchema>
export type Deployment = Static<typeof DeploymentSettings>['data']

export async function readDeployment(signal: AbortSignal): Promise<Deployment> {
  return (await call<{ data: Deployment }>('GET', '/v1/admin/settings', { signal })).data
}

const redirectUrisPath = '/v1/admin/tenant/redirect-uris'

export async function readRedirectUris(signal: AbortSignal): Promise<RedirectUris> {
  return (await call<{ data: RedirectUris }>('GET', redirectUrisPath, { signal })).data
}

export async function writeRedirectUris(uris: RedirectUris): Promise<RedirectUris> {
  return (await call<{ data: RedirectUris }>('PUT', redirectUrisPath, { body: uris })).data
}
