import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { collectionId as toCollectionId, connectorId, spaceId as toSpaceId } from '../../src/core/ids.ts'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { Secret } from '../../src/core/secret.ts'
import { connectorPlace } from '../../src/domain/connector-places.ts'
import { disconnect } from '../../src/domain/disconnect.ts'
import { forceRefresh } from '../../src/domain/force-refresh.ts'
import { freshAccess, type FreshAccess, type ReadyAccess } from '../../src/domain/fresh-access.ts'
import { judgeDue } from '../../src/domain/refresh-schedule.ts'
import { refresh } from '../../src/domain/refresh.ts'
import { findConnector, reconnectConnector } from '../../src/store/connectors.ts'
import type { ConnectorRow } from '../../src/store/rows.ts'
import { statement } from '../../src/store/database.ts'
import { mortal, type MortalProcess } from './mortal-process.ts'
import { addConnectors, createRefreshWorld, principal, tenant, type RefreshWorld } from './refresh-world.ts'
import type { Script, ScriptedProvider } from './scripted-provider.ts'
import { collectionId, spaceId, type TestService } from './service.ts'

/** One thing that happens to a connector; whatever it starts runs on beside what comes next. */
export type Step =
  | { readonly kind: 'read' | 'force' | 'sweep'; readonly process: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'provider'; readonly script: Script }
  /** From now on the provider keeps its finished replies; then it sends them. */
  | { readonly kind: 'hold' | 'let-go' }
  /** The process dies at a step of its own, and is started anew when it is needed. */
  | { readonly kind: 'crash'; readonly process: number; readonly steps: number }
  | { readonly kind: 'reconnect' | 'delete' | 'reseal' | 'lose-grant' | 'settle' }

/** What is documented of each provider. All but `plain` rotate, and end a grant whose spent token comes back. */
export const policies = {
  documented: { refresh_rotates: true },
  graced: { refresh_rotates: true, refresh_reuse_grace_seconds: 60 },
  plain: { refresh_rotates: false },
  unknown: {},
} satisfies Record<string, Partial<ProviderDefinition>>
export type Policy = keyof typeof policies

const slug = 'scripted'
const processes = 2
/** Of an access token: soon over, so that much is refreshed. */
const lifetimeMs = 100_000
const longestBackoffMs = 15 * 60_000
/** In real time; everything that is not held ends well before. */
const stuckAfterMs = 60_000

const reseal = statement(
  'test.reseal',
  `update connectors
   set access_token = $4
   where tenant_id = $1 and connector_id = $2 and version = $3`,
)

/**
 * Lets a schedule happen to one connector and then holds it to the promises:
 *
 * 1. No refresh token that works once is spent twice, unless the provider documents a grace and then within it; where nothing
 *    is known, at most once, before it was ever seen to rotate.
 * 2. None is lost: the connection works at the end, unless the user ended the grant, or a reply or a process was lost, and then
 *    the state says exactly that.
 * 3. A reconnect wins over whatever was under way for the old grant.
 * 4. A delete is final: nothing is stored after it, and nobody gets a token.
 * 5. Nobody is stuck: every caller gets an answer, and when the trouble is over every state is a clear one.
 */
export async function runSchedule(service: TestService, policy: Policy, steps: readonly Step[]): Promise<Told> {
  const world = createRefreshWorld(service, { [slug]: policies[policy] }, lifetimeMs / 1000)
  // Shorter than every caller asks: the first who comes refreshes.
  const [made] = await addConnectors(world, slug, 1, () => new Date(world.clock.now().getTime() + 30_000))
  const provider = world.providers[slug]
  assert.ok(made && provider)
  const run = new Run(world, provider, made.id, made.grant)
  for (const step of steps) {
    await run.take(step)
    // What has begun comes a little further before the next thing happens.
    await wait(step.kind === 'pass' ? 0 : 1)
  }
  const ended = await run.end(policy)
  return { requests: provider.requests, deaths: run.deaths, ended }
}

/** What came of a schedule, so that a test can tell that much did. */
export interface Told {
  readonly requests: number
  readonly deaths: number
  readonly ended: string
}

class Run {
  readonly world: RefreshWorld
  readonly provider: ScriptedProvider
  readonly place
  readonly alive: MortalProcess[]
  readonly underWay = new Map<Promise<unknown>, MortalProcess>()
  readonly failures: unknown[] = []
  grant: string
  lastReady: ReadyAccess | undefined
  deaths = 0
  isDeleted = false
  /** Whether a reply or a process was lost since the tokens were granted by consent. */
  isInDoubt = false

  constructor(world: RefreshWorld, provider: ScriptedProvider, id: string, grant: string) {
    this.world = world
    this.provider = provider
    this.place = {
      spaceId: toSpaceId(spaceId),
      collectionId: toCollectionId(collectionId),
      connectorId: connectorId(id),
    }
    this.alive = Array.from({ length: processes }, () => mortal(world.startProcess()))
    this.grant = grant
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'read':
        return this.start(step.process, (context) => this.check(freshAccess(context, tenant, this.place, 60_000)))
      case 'force': {
        const rejected = this.lastReady
        if (rejected === undefined) return
        return this.start(step.process, (context) => this.check(forceRefresh(context, tenant, this.place, rejected)))
      }
      case 'sweep':
        return this.start(step.process, async (context) => {
          const row = await findConnector(context.database.tenant(tenant), tenant, this.place.connectorId)
          if (row !== undefined && judgeDue(row, undefined, context.clock.now()) === 'refresh') {
            await refresh(context, row, 'due')
          }
        })
      case 'pass':
        return this.world.clock.advance(step.ms)
      case 'provider':
        this.isInDoubt ||= step.script === 'loses-reply' || step.script === 'loses-request'
        return this.provider.behave(step.script)
      case 'hold':
        return this.provider.hold()
      case 'let-go':
        return this.provider.letGo()
      case 'crash':
        this.isInDoubt = true
        return this.processAt(step.process).dieAfter(step.steps)
      case 'reconnect':
        return this.reconnect()
      case 'delete':
        return this.delete()
      case 'reseal':
        return this.reseal()
      case 'lose-grant':
        return this.provider.end(this.grant)
      case 'settle':
        await Promise.race([Promise.allSettled(this.stillWorking()), wait(30)])
        return undefined
    }
  }

  /** One that died is started anew. */
  processAt(index: number): MortalProcess {
    const known = this.alive[index]
    if (known !== undefined && !known.isDead) return known
    this.deaths += 1
    const fresh = mortal(this.world.startProcess())
    this.alive[index] = fresh
    return fresh
  }

  start(index: number, work: (context: MortalProcess['context']) => Promise<unknown>): void {
    const process = this.processAt(index)
    const working = work(process.context)
      .catch((error: unknown) => void this.failures.push(error))
      .finally(() => this.underWay.delete(working))
    this.underWay.set(working, process)
  }

  stillWorking(): readonly Promise<unknown>[] {
    return [...this.underWay].filter(([, process]) => !process.isDead).map(([working]) => working)
  }

  /** Whoever asks after a delete gets nothing, and whoever gets a token gets one that was granted for this connector. */
  async check(asked: Promise<FreshAccess>): Promise<void> {
    const wasDeleted = this.isDeleted
    const access = await asked
    if (wasDeleted) assert.equal(access.kind, 'disconnected')
    if (access.kind !== 'ready') return
    assert.ok(this.provider.grantOf(access.accessToken.reveal()))
    // It was stored before it was shown.
    assert.ok((await this.row()).version >= access.connector.version)
    this.lastReady = access
  }

  async row(): Promise<ConnectorRow> {
    const { database } = this.world.context
    const row = await findConnector(database.tenant(tenant), tenant, this.place.connectorId)
    assert.ok(row)
    return row
  }

  async reconnect(): Promise<void> {
    if (this.isDeleted) return
    const { context, clock } = this.world
    const row = await this.row()
    const { grant, accessToken, refreshToken } = this.provider.grant()
    const credentials = {
      contextId: row.context_id,
      principal: { issuer: row.principal_issuer, subject: row.principal_subject },
      account: { id: undefined, name: undefined },
      requestedScopes: [],
      grantedScopes: [],
      accessToken: await context.vault.seal(connectorPlace(row, 'access_token'), new Secret(accessToken)),
      refreshToken: await context.vault.seal(connectorPlace(row, 'refresh_token'), new Secret(refreshToken)),
      tokenType: 'Bearer',
      expiresAt: new Date(clock.now().getTime() + lifetimeMs),
      idTokenSubject: undefined,
      kept: {},
      urlVariables: {},
      nextRefreshAt: new Date(clock.now().getTime() + lifetimeMs),
    }
    await context.database.transaction(tenant, (db) =>
      reconnectConnector(db, tenant, this.place.connectorId, credentials, clock.now()),
    )
    this.grant = grant
  }

  async delete(): Promise<void> {
    await disconnect(this.world.context, principal, this.place)
    this.isDeleted = true
  }

  async reseal(): Promise<void> {
    const { context } = this.world
    const row = await this.row()
    if (row.access_token === null) return
    const place = connectorPlace(row, 'access_token')
    const sealed = await context.vault.seal(place, await context.vault.open(place, row.access_token))
    await context.database.tenant(tenant).query(reseal, [tenant, row.connector_id, row.version, sealed])
  }

  async end(policy: Policy): Promise<string> {
    this.provider.behave('answers')
    this.provider.letGo()
    for (const process of this.alive) if (!process.isDead) process.dieAfter(Number.POSITIVE_INFINITY)
    // Leases of the dead end.
    this.world.clock.advance(26_000)
    const answered = Promise.allSettled(this.stillWorking()).then(() => 'all')
    assert.equal(
      await Promise.race([answered, wait(stuckAfterMs, 'stuck', { ref: false })]),
      'all',
      'a caller is stuck',
    )
    assert.deepEqual(this.failures, [])
    this.world.clock.advance(lifetimeMs)
    let access = await this.read()
    for (let round = 0; access.kind === 'unavailable' && round < 4; round += 1) {
      this.world.clock.advance(longestBackoffMs)
      access = await this.read()
    }
    this.judge(policy, access, await this.row())
    return access.kind === 'reauth-required' ? access.reason : access.kind
  }

  read(): Promise<FreshAccess> {
    return freshAccess(this.processAt(0).context, tenant, this.place, 60_000)
  }

  judge(policy: Policy, access: FreshAccess, row: ConnectorRow): void {
    const { provider } = this
    assert.ok(provider.reuses <= (policy === 'unknown' ? 1 : 0), `${provider.reuses} refresh tokens were spent twice`)
    if (this.isDeleted) {
      assert.deepEqual([access.kind, row.health], ['disconnected', 'disconnected'])
      assert.deepEqual([row.access_token, row.refresh_token, row.next_refresh_at], [null, null, null])
      return
    }
    switch (access.kind) {
      case 'ready':
        assert.equal(provider.grantOf(access.accessToken.reveal()), this.grant, 'tokens of an old grant won')
        assert.deepEqual([row.health, row.refresh_unanswered, row.refresh_lease_ends_at], ['active', 0, null])
        assert.ok(row.next_refresh_at)
        return
      case 'reauth-required':
        assert.equal(row.next_refresh_at, null)
        if (access.reason === 'invalid_grant') assert.ok(provider.hasEnded(this.grant), 'the grant was good')
        else
          assert.ok(access.reason === 'refresh_outcome_unknown' && this.isInDoubt && policy !== 'plain', access.reason)
        return
      default:
        assert.fail(`stuck: ${access.kind}`)
    }
  }
}
