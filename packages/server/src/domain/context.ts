/**
 * The domain: one flow a file. This file names what flows work with; each takes the part it needs (`Pick<Context, …>`).
 */
import type { Clock } from '../core/clock.ts'
import type { DashboardSignIn } from '../core/dashboard-sign-in.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/meter.ts'
import type { ProviderDefinition } from '../core/provider-definition.ts'
import type { Secret } from '../core/secret.ts'
import type { Discovery } from '../oauth/discovery.ts'
import type { Egress } from '../oauth/egress.ts'
import type { KeySets } from '../oauth/key-sets.ts'
import type { Database } from '../store/database.ts'
import type { KeyEncryptionKeys } from '../vault/key-encryption-keys.ts'
import type { Vault } from '../vault/vault.ts'
import type { Activity } from './activity.ts'
import type { EventFeed } from './event-feed.ts'
import type { OpenCalls } from './open-calls.ts'
import type { RememberedApp } from './proxy-target.ts'
import type { RateBudgets } from './rate-budgets.ts'
import type { RefreshGate } from './refresh-gate.ts'
import type { RefreshResult } from './refresh-result.ts'
import type { WebhookTurns } from './webhook-turns.ts'
import type { WakeUp } from './work.ts'

/** A provider app that serves every tenant of the deployment, from `PROVIDER_<SLUG>_…`. */
export interface DeploymentApp {
  readonly clientId: string
  readonly clientSecret: Secret | undefined
  readonly scopes: readonly string[] | undefined
  /** What the operator fixed; no tenant can say otherwise for this app. */
  readonly variables?: Readonly<Record<string, string>>
}

/** The settings that flows depend on. */
export interface FlowSettings {
  /** Without a trailing slash; the only source of OAuth redirect URIs. */
  readonly publicUrl: string
  readonly deploymentApps: ReadonlyMap<string, DeploymentApp>
  readonly allowedRedirectUris: readonly string[]
  readonly allowedOrigins: readonly string[]
  /** Development only: http on loopback may be registered as a redirect URI. */
  readonly allowsLoopbackHttp: boolean
  /** `host:port` entries that outbound http may reach. */
  readonly allowedPrivateHosts: readonly string[]
  readonly limitsPending: boolean
  readonly deployment: Deployment
}

/** What administrators are told of how the service is set up. */
export interface Deployment {
  readonly version: string
  readonly isProduction: boolean
  readonly limitsRequests: boolean
  readonly hasSandbox: boolean
  readonly auth: {
    readonly kind: 'hs256' | 'jwks'
    readonly issuer: string | undefined
    readonly audience: string | undefined
    readonly tenantClaim: string
    readonly defaultScope: string
  }
  /** Absent: the dashboard is opened by sign-in links alone. */
  readonly dashboardSignIn: DashboardSignIn | undefined
}

/** The providers this deployment knows without any tenant adding them. */
export interface Catalog {
  get(slug: string): ProviderDefinition | undefined
  list(): readonly ProviderDefinition[]
}

export interface Context {
  readonly database: Database
  readonly vault: Vault
  readonly keyEncryptionKeys: KeyEncryptionKeys
  readonly clock: Clock
  readonly egress: Egress
  readonly discovery: Discovery
  /** Providers' signing keys, fetched once for all. */
  readonly keySets: KeySets
  readonly catalog: Catalog
  readonly settings: FlowSettings
  /** Refreshes under way in this process: callers that find the same expired token wait for one. */
  readonly refreshesUnderWay: Map<string, Promise<RefreshResult>>
  /** Providers as calls through the proxy need them, for seconds; the proxy keeps it small. */
  readonly proxyTargets: Map<string, RememberedApp>
  /** Calls through the proxy that are under way. */
  readonly openCalls: OpenCalls
  /** What is left of providers' rate limits. */
  readonly rateBudgets: RateBudgets
  readonly refreshGate: RefreshGate
  /** Exports and calls through the proxy, written in batches. */
  readonly activity: Activity
  readonly wakeUp: WakeUp
  readonly meter: Meter
  readonly eventFeed: EventFeed
  readonly webhookTurns: WebhookTurns
  readonly log: Log
}
