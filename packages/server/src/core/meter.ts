import { untraced, type Tracer } from './tracer.ts'

/**
 * What the service counts of its own work. The names are Prometheus names without the prefix `connector_oauth_`; labels
 * are few and bounded, since each combination is a time series: never an id of a tenant, a connector or a person.
 */
export interface Counters {
  /** Refreshes by how they ended. */
  refreshes_total: { readonly provider: string; readonly outcome: RefreshOutcome }
  /** Revocations at providers by end state. */
  revocations_total: { readonly provider: string; readonly outcome: 'revoked' | 'unsupported' | 'failed' | 'postponed' }
  /** Calls through the proxy by the provider's status class, or `own` for a failure of this service's own. */
  proxied_calls_total: { readonly provider: string; readonly status: '2xx' | '3xx' | '4xx' | '5xx' | 'own' }
  /** Deliveries of webhooks. */
  webhook_deliveries_total: { readonly outcome: 'delivered' | 'failed' | 'dead' }
  /** Access tokens handed out. */
  tokens_exported_total: { readonly provider: string }
  /** Calls with a live lease of the right connector: let through, or the code they were refused with. */
  lease_calls_total: { readonly outcome: 'allowed' | LeaseRefusal }
  /** Values sealed anew by a newer data key. */
  resealed_total: { readonly table: string }
  /** Rounds of background work that threw. */
  job_failures_total: { readonly work: string }
}

export interface Histograms {
  /** Seconds until an answer was sent, by the route's pattern and the status class. */
  http_request_seconds: { readonly route: string; readonly method: string; readonly status: string }
  /** Seconds until a provider answered, by what was asked. */
  provider_request_seconds: {
    readonly provider: string
    readonly call: 'token' | 'refresh' | 'revoke' | 'proxy' | 'other'
  }
}

export type RefreshOutcome =
  | 'refreshed'
  | 'grant_lost'
  | 'client_rejected'
  | 'unavailable'
  | 'outcome_unknown'
  | 'superseded'

/** Why a call with a lease went nowhere, as the code of the problem. */
export type LeaseRefusal =
  | 'lease_invalid'
  | 'lease_forbids'
  | 'lease_exhausted'
  | 'reauth_required'
  | 'connector_disconnected'
  | 'connector_paused'

/** Counts, times and traces. Never throws, never waits. */
export interface Meter {
  /** Runs `work` as a step of the trace under way, where traces are on. */
  readonly step: Tracer['step']
  count<Name extends keyof Counters>(name: Name, labels: Counters[Name]): void
  observe<Name extends keyof Histograms>(name: Name, labels: Histograms[Name], seconds: number): void
}

/** Where nobody looks at the figures: the command line. */
export const noMeter: Meter = { count: () => {}, observe: () => {}, step: untraced }
