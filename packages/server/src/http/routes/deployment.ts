import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { type DashboardConfig, DeploymentSettings, Me } from '@connector-oauth/contract/deployment.ts'
import type { Context } from '../../domain/context.ts'
import { readDeployment } from '../../domain/deployment.ts'
import type { HttpContext } from '../http-context.ts'
import { addApiRoute } from '../route.ts'

/** Who the caller is, and where. */
export function deploymentRoutes(app: FastifyInstance, http: HttpContext): void {
  /** Any valid bearer token, whatever its rights. */
  addApiRoute(app, http, {
    method: 'GET',
    url: '/v1/me',
    tag: 'Tenant',
    summary: 'Read what the bearer token says and allows',
    schemas: {},
    status: 200,
    response: Me,
    async handle({ principal }) {
      return {
        data: {
          principal_id: principal.subject,
          subject: principal.subject,
          issuer: principal.issuer === '' ? null : principal.issuer,
          tenant_id: principal.tenantId,
          rights: [...principal.rights],
          spaces: principal.spaces === undefined ? null : [...principal.spaces],
          collections: principal.collections === undefined ? null : [...principal.collections],
          expires_at: principal.expiresAt.toISOString(),
        },
      }
    },
  })

  addApiRoute(app, http, {
    method: 'GET',
    url: '/v1/admin/settings',
    tag: 'Tenant',
    summary: 'Read how the service is set up',
    schemas: {},
    status: 200,
    response: DeploymentSettings,
    async handle({ principal }) {
      return { data: readDeployment(http.flows, principal) }
    },
  })
}

/** `GET /dashboard-config.json`: the dashboard asks before anybody has signed in, so it says nothing but how to. */
export function dashboardConfigRoute(app: FastifyInstance, flows: Pick<Context, 'settings'>): void {
  const { dashboardSignIn: signIn, hasSandbox } = flows.settings.deployment
  const oidc = signIn && {
    issuer: signIn.issuer,
    client_id: signIn.clientId,
    scope: signIn.scope,
    audience: signIn.audience ?? null,
  }
  const body: Static<typeof DashboardConfig> = { oidc: oidc ?? null, sandbox: hasSandbox }
  app.get('/dashboard-config.json', { schema: { hide: true } }, async () => body)
}
