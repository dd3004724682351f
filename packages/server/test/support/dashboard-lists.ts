import { webhookId, type TenantId } from '../../src/core/ids.ts'
import { pageAuditEntries, pageNewestAuditEntries } from '../../src/store/audit-entries.ts'
import { countByKind } from '../../src/store/connector-counts.ts'
import type { Db } from '../../src/store/database.ts'
import { countEvents } from '../../src/store/event-counts.ts'
import { pageEvents, pageNewestEvents } from '../../src/store/events.ts'
import { pageDeliveries } from '../../src/store/webhook-deliveries.ts'
import { pageTenantConnectors, type TenantConnectorFilter } from '../../src/store/tenant-connectors.ts'
import { known } from './many-rows.ts'

/** Something a page of the dashboard asks for: how the API is asked, and what the store is. */
export interface DashboardList {
  readonly name: string
  /** Path and query of the first page. */
  readonly path: string
  ask(db: Db, tenant: TenantId): Promise<readonly unknown[]>
}

const dayMs = 86_400_000
const none: TenantConnectorFilter = {
  status: undefined,
  providerSlug: undefined,
  spaces: undefined,
  collections: undefined,
  principalSubject: undefined,
  prefix: undefined,
}

/** Lists over {@link addManyRows}, with a space and a collection that it made, and a moment of the middle. */
export function dashboardLists(place: { readonly spaceId: string; readonly collectionId: string }, now: Date) {
  const connectors = (name: string, query: Readonly<Record<string, string>>, pageBefore?: Date): DashboardList => ({
    name: `connectors: ${name}`,
    path: `/v1/admin/connectors?${new URLSearchParams(query).toString()}`,
    ask: (db, tenant) =>
      pageTenantConnectors(
        db,
        tenant,
        {
          ...none,
          status: query['status'],
          providerSlug: query['provider_slug'],
          spaces: query['space_id'] === undefined ? undefined : [query['space_id']],
          collections: query['collection_id'] === undefined ? undefined : [query['collection_id']],
          principalSubject: query['principal_id'],
          prefix: query['q'],
        },
        { before: pageBefore && { createdAt: pageBefore, id: 'conn_' }, limit: 51 },
      ),
  })
  const some = { spaceId: place.spaceId, collectionId: place.collectionId }
  const space = { space_id: some.spaceId }
  const halfWay = new Date(now.getTime() - 45 * dayMs)
  const hour = 3_600_000
  const times = { from_date: halfWay.toISOString(), to_date: new Date(halfWay.getTime() + hour).toISOString() }
  /** In the order in which things happened, and from the newest back, as the dashboard begins. */
  const positions = (
    what: 'events' | 'audit',
    name: string,
    query: Readonly<Record<string, string>>,
  ): readonly DashboardList[] => {
    const filter = {
      category: query['category'],
      action: query['action'],
      actorId: query['actor_id'],
      resourceType: query['resource_type'],
      resourceId: query['resource_id'],
      fromDate: query['from_date'] === undefined ? undefined : new Date(query['from_date']),
      toDate: query['to_date'] === undefined ? undefined : new Date(query['to_date']),
    }
    const path = (more: Readonly<Record<string, string>>) =>
      `${what === 'events' ? '/v1/events' : '/v1/admin/audit'}?${new URLSearchParams({ ...query, ...more }).toString()}`
    const [page, pageNewest] =
      what === 'events' ? [pageEvents, pageNewestEvents] : [pageAuditEntries, pageNewestAuditEntries]
    return [
      {
        name: `${what}: ${name}`,
        path: path({}),
        ask: (db, tenant) => page(db, tenant, filter, { after: 0, limit: 51 }),
      },
      {
        name: `${what}: ${name}, newest first`,
        path: path({ order: 'desc' }),
        ask: (db, tenant) => pageNewest(db, tenant, filter, { before: undefined, limit: 51 }),
      },
    ]
  }
  const deliveries = (
    name: string,
    webhook: string,
    query: Readonly<{ status?: string; event_id?: string }>,
  ): DashboardList => ({
    name: `deliveries: ${name}`,
    path: `/v1/admin/webhooks/${webhook}/deliveries?${new URLSearchParams(query).toString()}`,
    ask: (db, tenant) =>
      pageDeliveries(
        db,
        { tenantId: tenant, id: webhookId(webhook) },
        { status: query.status, eventId: query.event_id },
        { before: undefined, limit: 51 },
      ),
  })
  const overview = (hours: number, unit: 'hour' | 'day'): DashboardList => ({
    name: `overview: ${hours} hours`,
    path: `/v1/admin/overview?hours=${hours}`,
    ask: async (db, tenant) => [
      ...(await countByKind(db, tenant)),
      ...(await countEvents(db, tenant, new Date(now.getTime() - hours * hour), unit)),
    ],
  })
  return [
    overview(24, 'hour'),
    overview(720, 'day'),
    connectors('all', {}),
    connectors('all, deep', {}, new Date(now.getTime() - 365 * dayMs)),
    connectors('status', { status: 'reauth_required' }),
    connectors('provider', { provider_slug: known.rareProvider }),
    connectors('provider and status', { provider_slug: known.commonProvider, status: 'degraded' }),
    connectors('space', space),
    connectors('space, provider and status', { ...space, provider_slug: known.commonProvider, status: 'degraded' }),
    connectors('space, deep', space, new Date(now.getTime() - 365 * dayMs)),
    connectors('collection', { ...space, collection_id: some.collectionId }),
    connectors('person', { principal_id: known.person }),
    connectors('whoever imported', { principal_id: known.importer, provider_slug: known.rareProvider }),
    connectors('whoever imported, in a space', { principal_id: known.importer, ...space }),
    connectors('begins rarely', { q: 'person1234' }),
    connectors('begins often', { q: 'person' }),
    connectors('begins often, with a status', { q: 'person', status: 'reauth_required' }),
    ...positions('events', 'all', {}),
    ...positions('events', 'category', { category: 'provider_app' }),
    ...positions('events', 'resource type', { resource_type: 'provider_app' }),
    ...positions('events', 'resource', { resource_id: 'provider-1' }),
    ...positions('events', 'an hour', times),
    ...positions('events', 'category in an hour', { category: 'connector', ...times }),
    ...positions('audit', 'all', {}),
    ...positions('audit', 'action', { action: known.rareAction }),
    ...positions('audit', 'actor', { actor_id: 'user-77' }),
    ...positions('audit', 'resource type', { resource_type: 'provider_app' }),
    ...positions('audit', 'resource', { resource_id: 'provider-1' }),
    ...positions('audit', 'an hour', times),
    ...positions('audit', 'action in an hour', { action: known.rareAction, ...times }),
    deliveries('all', known.steadyWebhook, {}),
    deliveries('delivered', known.steadyWebhook, { status: 'delivered' }),
    deliveries('given up', known.steadyWebhook, { status: 'dead' }),
    deliveries('waiting', known.steadyWebhook, { status: 'pending' }),
    deliveries('event', known.steadyWebhook, { event_id: 'evt_none' }),
    deliveries('all, while half waits', known.failingWebhook, {}),
    deliveries('delivered, while half waits', known.failingWebhook, { status: 'delivered' }),
    deliveries('given up, while half waits', known.failingWebhook, { status: 'dead' }),
    deliveries('waiting, while half waits', known.failingWebhook, { status: 'pending' }),
  ]
}
