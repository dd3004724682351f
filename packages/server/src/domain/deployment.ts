import type { Context, FlowSettings } from './context.ts'
import { requireRight, type Principal } from './principal.ts'

/** Field names are the API's. */
export interface DeploymentView {
  readonly version: string
  readonly public_url: string
  readonly allowed_origins: readonly string[]
  readonly allowed_redirect_uris: readonly string[]
  readonly auth: {
    readonly kind: 'hs256' | 'jwks'
    readonly issuer: string | null
    readonly audience: string | null
    readonly tenant_claim: string
    readonly default_scope: string
  }
  readonly rate_limits: 'on' | 'off'
  readonly environment: 'production' | 'development'
}

/** How the service is set up, as far as every tenant's administrator may know: no secret, no other tenant, no address inside. */
export function readDeployment(context: Pick<Context, 'settings'>, principal: Principal): DeploymentView {
  requireRight(principal, 'connectors:admin')
  const { settings } = context
  const { deployment } = settings
  return {
    version: deployment.version,
    public_url: settings.publicUrl,
    allowed_origins: settings.allowedOrigins,
    allowed_redirect_uris: settings.allowedRedirectUris,
    auth: {
      kind: deployment.auth.kind,
      issuer: deployment.auth.issuer ?? null,
      audience: deployment.auth.audience ?? null,
      tenant_claim: deployment.auth.tenantClaim,
      default_scope: deployment.auth.defaultScope,
    },
    rate_limits: deployment.limitsRequests ? 'on' : 'off',
    environment: deployment.isProduction ? 'production' : 'development',
  }
}

/**
 * The origins that the dashboard's page must be able to reach besides its own, for the `connect-src` of its policy: that
 * of the issuer that signs people in, if there is one.
 */
export function signInOrigins(settings: Pick<FlowSettings, 'deployment'>): readonly string[] {
  const issuer = settings.deployment.dashboardSignIn?.issuer
  return issuer === undefined ? [] : [new URL(issuer).origin]
}
