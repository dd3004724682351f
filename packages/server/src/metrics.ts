import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { isCustomSlug, providerSlug } from './core/ids.ts'
import type { Counters, Histograms, Meter } from './core/meter.ts'
import type { Figures } from './figures.ts'

/** The service's figures in Prometheus' text format. */
export interface Metrics {
  readonly meter: Omit<Meter, 'step'>
  readonly contentType: string
  render(): Promise<string>
}

const prefix = 'connector_oauth_'

type Described<Table> = {
  readonly [Name in keyof Table]: readonly [help: string, ...labels: (keyof Table[Name] & string)[]]
}

const counters: Described<Counters> = {
  refreshes_total: ['Refreshes of tokens by how they ended', 'provider', 'outcome'],
  revocations_total: ['Revocations at providers by how an attempt ended', 'provider', 'outcome'],
  proxied_calls_total: ['Calls through the proxy by status class, or own for failures here', 'provider', 'status'],
  webhook_deliveries_total: ['Deliveries of webhooks by how an attempt ended', 'outcome'],
  tokens_exported_total: ['Access tokens handed out', 'provider'],
  lease_calls_total: ['Calls that came with a lease, by what its limits said', 'outcome'],
  resealed_total: ['Values sealed anew by a newer data key', 'table'],
  job_failures_total: ['Rounds of background work that threw', 'work'],
}

const histograms: Described<Histograms> = {
  http_request_seconds: ['Time until an answer was sent', 'route', 'method', 'status'],
  provider_request_seconds: ['Time until a provider answered', 'provider', 'call'],
}

const buckets = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** A registry of this service's own: nothing is shared with other users of the library in the process. */
export function createMetrics(figures: Figures): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const counterOf = each(
    counters,
    (name, help, labelNames) => new Counter({ name, help, labelNames, registers: [registry] }),
  )
  const histogramOf = each(
    histograms,
    (name, help, labelNames) => new Histogram({ name, help, labelNames, buckets, registers: [registry] }),
  )
  const showFigures = figureGauges(registry)
  return {
    contentType: registry.contentType,
    meter: {
      count: (name, labels) => counterOf[name].inc(bounded(labels)),
      observe(name, labels, seconds) {
        if (Number.isFinite(seconds)) histogramOf[name].observe(bounded(labels), seconds)
      },
    },
    async render() {
      showFigures(await figures.read())
      return registry.metrics()
    },
  }
}

/** Tenants add providers as they like; each would be a time series of its own. */
function bounded<Labels extends object>(labels: Labels): Labels {
  if ('provider' in labels && typeof labels.provider === 'string' && isCustomSlug(providerSlug(labels.provider))) {
    return { ...labels, provider: 'custom' }
  }
  return labels
}

function each<Table, Made>(
  table: Described<Table>,
  make: (name: string, help: string, labels: string[]) => Made,
): Record<keyof Table, Made> {
  const described: Readonly<Record<string, readonly [help: string, ...labels: string[]]>> = table
  const made = Object.entries(described).map(([name, [help, ...labels]]) => [name, make(prefix + name, help, labels)])
  // One for each key of the table.
  return Object.fromEntries(made) as Record<keyof Table, Made>
}

/** Gauges over all tenants, equal in every process but for its own connections. */
function figureGauges(registry: Registry): (figures: Awaited<ReturnType<Figures['read']>>) => void {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: prefix + name, help, labelNames, registers: [registry] })
  const connectors = gauge('connectors', 'Connectors by status', ['status'])
  const due = gauge('work_due', 'Rows that wait for background work; 10001 stands for more', ['work'])
  const oldest = gauge('work_oldest_due_seconds', 'How long the oldest of them has been due', ['work'])
  const pending = gauge('webhook_deliveries_pending', 'Webhook deliveries still to be made; 10001 stands for more')
  const keys = gauge('data_keys', 'Data keys that a key-encryption key wraps', ['key_id', 'state'])
  const migrations = gauge('migrations_applied', 'Migrations that the database has')
  const age = gauge('figures_age_seconds', 'How old the figures are that are asked of the database')
  const connections = gauge('database_connections', 'Connections of this process to the database', ['state'])
  const waiting = gauge('database_waiting', 'Callers of this process that wait for a connection')
  return (figures) => {
    const { pool, counted } = figures
    connections.set({ state: 'in_use' }, pool.inUse)
    connections.set({ state: 'idle' }, pool.idle)
    waiting.set(pool.waiting)
    if (counted === undefined) return
    age.set(counted.ageSeconds)
    migrations.set(counted.migrations)
    pending.set(counted.pendingDeliveries)
    for (const labelled of [connectors, due, oldest, keys]) labelled.reset()
    for (const { status, count } of counted.connectors) connectors.set({ status }, count)
    for (const { work, rows, oldestSeconds } of counted.works) {
      due.set({ work }, rows)
      oldest.set({ work }, oldestSeconds)
    }
    for (const { keyId, state, count } of counted.dataKeys) keys.set({ key_id: keyId, state }, count)
  }
}
