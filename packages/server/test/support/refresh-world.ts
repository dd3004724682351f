import { randomUUID } from 'node:crypto'
import { plusMs } from '../../src/core/clock.ts'
import { providerSlug, tenantId } from '../../src/core/ids.ts'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { Secret } from '../../src/core/secret.ts'
import { connectorPlace } from '../../src/domain/connector-places.ts'
import type { Context } from '../../src/domain/context.ts'
import type { Principal } from '../../src/domain/principal.ts'
import { providerInUse } from '../../src/domain/provider-client.ts'
import { createRefreshGate } from '../../src/domain/refresh-gate.ts'
import { nextRefreshAt } from '../../src/domain/refresh-schedule.ts'
import { rows } from './connectors.ts'
import { createScriptedProvider, scriptedDefinition, type ScriptedProvider } from './scripted-provider.ts'
import { collectionId, spaceId, type TestService } from './service.ts'

export const tenant = tenantId('acme')
export const principal: Principal = {
  tenantId: tenant,
  issuer: 'issuer',
  subject: 'ada',
  expiresAt: new Date('2100-01-01T00:00:00Z'),
  rights: new Set(['connectors:manage']),
  spaces: undefined,
  collections: undefined,
}

/** A clock that stands until it is moved. */
export interface GivenClock {
  now(): Date
  advance(ms: number): void
}

/** The flows of refreshing over a real database, with scripted providers and a given time. */
export interface RefreshWorld {
  readonly service: TestService
  readonly clock: GivenClock
  /** Of the providers' access tokens. */
  readonly lifetimeSeconds: number
  readonly providers: Readonly<Record<string, ScriptedProvider>>
  /** A process's own: what it has under way and its gate are not another's. */
  startProcess(): Context
  readonly context: Context
}

/** Makes providers by their slugs from what is documented of each; they rotate unless that says they do not. */
export function createRefreshWorld(
  service: TestService,
  documented: Readonly<Record<string, Partial<ProviderDefinition>>>,
  lifetimeSeconds = 3_600,
): RefreshWorld {
  let nowMs = Date.parse('2030-01-01T00:00:00Z')
  const clock = { now: () => new Date(nowMs), advance: (ms: number) => void (nowMs += ms) }
  const definitions = new Map<string, ProviderDefinition>()
  const providers: Record<string, ScriptedProvider> = {}
  const apps = new Map(service.context.settings.deploymentApps)
  for (const [slug, known] of Object.entries(documented)) {
    definitions.set(slug, scriptedDefinition(slug, known))
    const graceSeconds = known.refresh_reuse_grace_seconds
    const rules = { rotates: known.refresh_rotates !== false, lifetimeSeconds, now: clock.now }
    providers[slug] = createScriptedProvider(graceSeconds === undefined ? rules : { ...rules, graceSeconds })
    apps.set(slug, { clientId: 'client', clientSecret: new Secret('secret'), scopes: undefined })
  }
  const byHost = (url: string) => providers[new URL(url).hostname.split('.')[0] ?? '']
  const startProcess = (): Context => ({
    ...service.context,
    clock,
    refreshGate: createRefreshGate(clock),
    refreshesUnderWay: new Map(),
    settings: { ...service.context.settings, deploymentApps: apps },
    catalog: { get: (slug) => definitions.get(slug), list: () => [...definitions.values()] },
    egress: {
      ...service.context.egress,
      request: async (request) => {
        const provider = byHost(request.url)
        if (provider === undefined) throw new Error('No such provider')
        return provider.request(request)
      },
    },
  })
  return { service, clock, lifetimeSeconds, providers, startProcess, context: startProcess() }
}

/** Adds connectors in use, each with a grant of its own, in one statement; answers their ids and grants. */
export async function addConnectors(
  world: RefreshWorld,
  slug: string,
  count: number,
  expiresAt: (index: number) => Date,
): Promise<readonly { readonly id: string; readonly grant: string }[]> {
  const { context, clock, lifetimeSeconds, providers, service } = world
  const provider = providers[slug]
  if (provider === undefined) throw new Error('No such provider')
  const { contextId } = await providerInUse(context, tenant, providerSlug(slug), {})
  const now = clock.now()
  const place = { tenant_id: tenant, space_id: spaceId, collection_id: collectionId }
  const made = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const id = `conn_${randomUUID()}`
      const { grant, accessToken, refreshToken } = provider.grant()
      const at = { ...place, connector_id: id }
      const expires = expiresAt(index)
      const facts = {
        connectorId: id,
        grantedAt: plusMs(expires, -lifetimeSeconds * 1000),
        expiresAt: expires,
        lastUsedAt: now,
        idleDays: undefined,
      }
      return {
        id,
        grant,
        accessToken: await context.vault.seal(connectorPlace(at, 'access_token'), new Secret(accessToken)),
        refreshToken: await context.vault.seal(connectorPlace(at, 'refresh_token'), new Secret(refreshToken)),
        grantedAt: facts.grantedAt,
        expires,
        nextRefreshAt: nextRefreshAt(facts, now),
      }
    }),
  )
  await rows(
    service,
    `insert into connectors
       (tenant_id, connector_id, space_id, collection_id, provider_slug, context_id, principal_issuer,
        principal_subject, health, requested_scopes, granted_scopes, token_type, last_used_at, created_at, updated_at,
        access_token, refresh_token, tokens_granted_at, access_token_expires_at, next_refresh_at)
     select $1, id, $2, $3, $4, $5, 'issuer', 'ada', 'active', '{}', '{}', 'Bearer', $6, $6, $6, access_token,
            refresh_token, granted_at, expires_at, next_refresh_at
     from unnest($7::text[], $8::bytea[], $9::bytea[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[])
       as made (id, access_token, refresh_token, granted_at, expires_at, next_refresh_at)`,
    [
      tenant,
      spaceId,
      collectionId,
      slug,
      contextId,
      now,
      made.map((one) => one.id),
      made.map((one) => one.accessToken),
      made.map((one) => one.refreshToken),
      made.map((one) => one.grantedAt),
      made.map((one) => one.expires),
      made.map((one) => one.nextRefreshAt),
    ],
  )
  return made
}
