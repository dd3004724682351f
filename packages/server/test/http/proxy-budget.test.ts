import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { createRateBudgets, type BudgetedCall } from '../../src/domain/rate-budgets.ts'
import type { Db } from '../../src/store/database.ts'
import { rows, until } from '../support/connectors.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { connectorsPath } from '../support/process-flow.ts'
import { proxiedConnector, proxyPath } from '../support/proxied.ts'
import type { TestService } from '../support/service.ts'
import { serviceBeside } from './own-providers.ts'

let provider: HostileProvider
let service: TestService
before(async () => {
  provider = await startHostileProvider()
  service = await serviceBeside([provider])
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await provider.close()
})

const get = (id: string, path: string) => service.call('GET', proxyPath(id, path))
const limited = (reply: Response) => reply.headers.get('x-connector-error') === 'provider_rate_limited'

/** Another account at the provider of a connector. */
async function beside(id: string): Promise<string> {
  const known = (await (await service.call('GET', `${connectorsPath}/${id}`)).json()) as {
    data: { provider_slug: string }
  }
  const imported = await service.call('POST', connectorsPath, {
    headers: { 'idempotency-key': `beside-${id}-${Math.random()}` },
    body: { provider_slug: known.data.provider_slug, credential: { access_token: 'another-token' } },
  })
  return ((await imported.json()) as { data: { id: string } }).data.id
}

it('asks a provider no more once nothing is left, until its limit starts anew', async () => {
  const id = await proxiedConnector(service, provider.origin)
  provider.answer('/api/v1/spent', { headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '60' }, json: {} })
  assert.equal((await get(id, '/spent')).status, 200)
  const seen = provider.seen.length
  const refused = await get(id, '/elsewhere')
  assert.equal(refused.status, 429)
  assert.ok(limited(refused))
  const wait = Number(refused.headers.get('retry-after'))
  assert.ok(wait > 50 && wait <= 60, String(wait))
  assert.equal(provider.seen.length, seen)
  service.clock.advance(61_000)
  assert.ok(!limited(await get(id, '/elsewhere')))
})

it('lets no more calls through at once than are left', async () => {
  const id = await proxiedConnector(service, provider.origin)
  provider.answer('/api/v1/few', { headers: { 'ratelimit-remaining': '3', 'ratelimit-reset': '60' }, json: {} })
  await get(id, '/few')
  const seen = provider.seen.length
  provider.answer('/api/v1/slow', (response) => setTimeout(() => response.end('{}'), 300))
  const replies = await Promise.all(Array.from({ length: 10 }, () => get(id, '/slow')))
  assert.equal(replies.filter(limited).length, 7)
  assert.equal(provider.seen.length - seen, 3)
})

it('holds up one account for what it spent itself, and all once the limit turns out to be theirs together', async () => {
  const first = await proxiedConnector(service, provider.origin)
  const second = await beside(first)
  const third = await beside(first)
  const resetsAt = String(Math.ceil(service.clock.now().getTime() / 1000) + 60)
  provider.answer('/api/v1/spent', {
    headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': resetsAt },
    json: {},
  })
  await get(first, '/spent')
  assert.ok(limited(await get(first, '/x')))
  assert.ok(!limited(await get(second, '/x')))
  await get(second, '/spent')
  assert.ok(limited(await get(third, '/x')))
})

it('keeps a limit with a name to the routes it was seen on', async () => {
  const id = await proxiedConnector(service, provider.origin)
  const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '60', 'x-ratelimit-resource': 'search' }
  provider.answer('/api/v1/search/items', { headers, json: {} })
  await get(id, '/search/items')
  assert.ok(limited(await get(id, '/search/items?q=other')))
  assert.ok(!limited(await get(id, '/items')))
})

it('tells the other processes', async () => {
  const call: BudgetedCall = { tenantId: 'acme', contextId: 'ctx-shared', connectorId: 'conn_a', route: '/x' }
  const one = createRateBudgets(service.context)
  const other = createRateBudgets(service.context)
  assert.equal(await other.admit(call), undefined)
  other.done(call)
  one.learn(call, { bucket: '', remaining: 0, resetsAt: new Date(service.clock.now().getTime() + 60_000) })
  await until(
    async () => (await rows(service, "select 1 from rate_budgets where context_id = 'ctx-shared'")).length === 1,
  )
  service.clock.advance(6_000)
  const waitMs = await other.admit(call)
  assert.ok(waitMs !== undefined && waitMs > 50_000 && waitMs <= 54_000, String(waitMs))
  // Another tenant's context of the same name is another context.
  assert.equal(await other.admit({ ...call, tenantId: 'globex' }), undefined)
})

it('reads and writes in batches, not for each call', async () => {
  const { database, clock } = service.context
  let statements = 0
  const counted: Db = {
    query(statement, values) {
      statements += 1
      return database.system.query(statement, values)
    },
  }
  const budgets = createRateBudgets({ database: { ...database, system: counted }, clock })
  const resetsAt = new Date(clock.now().getTime() + 60_000)
  for (let left = 200; left > 0; left -= 1) {
    const call = { tenantId: 'acme', contextId: 'ctx-batches', connectorId: `conn_${left % 7}`, route: '/x' }
    assert.equal(await budgets.admit(call), undefined)
    budgets.done(call)
    budgets.learn(call, { bucket: '', remaining: 10 + (left % 5), resetsAt })
  }
  assert.ok(statements > 0 && statements <= 6, String(statements))
})

it('keeps as many named limits of a context as are worth it, and counts the rest for all routes', async () => {
  const budgets = createRateBudgets(service.context)
  const resetsAt = new Date(service.clock.now().getTime() + 60_000)
  const call = (route: string): BudgetedCall => ({
    tenantId: 'acme',
    contextId: 'ctx-names',
    connectorId: 'conn_a',
    route,
  })
  for (let name = 0; name < 32; name += 1) {
    budgets.learn(call(`/r${name}`), { bucket: `named-${name}`, remaining: 0, resetsAt })
  }
  assert.equal(await budgets.admit(call('/elsewhere')), undefined)
  budgets.done(call('/elsewhere'))
  assert.ok(await budgets.admit(call('/r31')))
  budgets.learn(call('/r32'), { bucket: 'named-32', remaining: 0, resetsAt })
  assert.ok(await budgets.admit(call('/elsewhere')))
})

it('forgets a tenant’s own limits before those of others', async () => {
  const budgets = createRateBudgets(service.context)
  const resetsAt = new Date(service.clock.now().getTime() + 60_000)
  const theirs: BudgetedCall = { tenantId: 'globex', contextId: 'ctx-1', connectorId: 'conn_a', route: '/x' }
  budgets.learn(theirs, { bucket: 'search', remaining: 0, resetsAt })
  for (let index = 0; index < 25_000; index += 1) {
    const call = { tenantId: 'acme', contextId: `ctx-${index % 900}`, connectorId: `conn_${index}`, route: `/${index}` }
    budgets.learn(call, { bucket: 'all', remaining: 1, resetsAt })
  }
  assert.ok(await budgets.admit(theirs))
})
