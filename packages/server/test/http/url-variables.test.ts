import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { revokeDue } from '../../src/domain/revoke-at-provider.ts'
import { authorizePath } from '../support/consent.ts'
import { proxyPath } from '../support/proxied.ts'
import type { TestService } from '../support/service.ts'
import { askSession, connectShop, shopSecret, shopSlug, startShops, type Shops } from '../support/shops.ts'
import { assertProblem, connectorsPath, dataOf, eventsOf, jsonOf, type Json } from './calls.ts'
import { adminPath } from './own-providers.ts'

let shops: Shops
let service: TestService
before(async () => {
  shops = await startShops(['one', 'two', 'three'])
  service = shops.service
})
after(() => shops[Symbol.asyncDispose]())

const connector = async (id: string) => dataOf(await service.call('GET', `${connectorsPath}/${id}`))
const token = async (id: string) =>
  (await dataOf(await service.call('POST', `${connectorsPath}/${id}/token`)))['access_token']
const connect = async (shop: string, id: string, body: object = {}) => {
  const reply = await connectShop(service, { shop }, { connector_id: id, ...body })
  assert.equal(reply.status, 200, await reply.text())
}
const patch = (body: object, slug = shopSlug) => service.call('PATCH', `${adminPath}/${slug}`, { body })

describe('two shops of one provider app', () => {
  it('are connected side by side, each at its own host', async () => {
    await connect('one', 'conn_one')
    await connect('two', 'conn_two')
    for (const [shop, id] of [
      ['one', 'conn_one'],
      ['two', 'conn_two'],
    ] as const) {
      const [request, ...more] = shops.askedOf(shop, '/token')
      assert.equal(more.length, 0)
      assert.equal(new URLSearchParams(request?.body).get('client_secret'), shopSecret)
      assert.deepEqual((await connector(id))['url_variables'], { shop })
      const [event] = await eventsOf(service, { resource_id: id })
      assert.deepEqual(event?.metadata['url_variables'], { shop })
      assert.match(String(await token(id)), new RegExp(`^access-${shop}-`))
    }
  })

  it('are called through the proxy each at its own host', async () => {
    for (const [shop, id] of [
      ['one', 'conn_one'],
      ['two', 'conn_two'],
    ] as const) {
      assert.equal(await (await service.call('GET', proxyPath(id, '/orders'))).text(), `orders of ${shop}`)
      assert.match(
        String(shops.askedOf(shop, '/api/orders')[0]?.headers['authorization']),
        new RegExp(`access-${shop}-`),
      )
    }
  })

  it('are refreshed each at its own host', async () => {
    service.clock.advance(3_600_000)
    for (const [shop, id] of [
      ['one', 'conn_one'],
      ['two', 'conn_two'],
    ] as const) {
      assert.match(String(await token(id)), new RegExp(`^access-${shop}-`))
      const sent = new URLSearchParams(shops.askedOf(shop, '/token').at(-1)?.body)
      assert.match(sent.get('refresh_token') ?? '', new RegExp(`^refresh-${shop}-`))
    }
  })

  it('are revoked each at its own host', async () => {
    assert.equal((await service.call('DELETE', `${connectorsPath}/conn_one`)).status, 202)
    await revokeDue(service.context)
    assert.ok(shops.askedOf('one', '/revoke').length > 0)
    assert.equal(shops.askedOf('two', '/revoke').length, 0)
    assert.match(String(await token('conn_two')), /^access-two-/)
  })

  it('are two contexts: neither takes the other’s connector over', async () => {
    const held = await service.context.database.system.query<{ context_id: string }>(
      { name: 'test.contexts', text: 'select distinct context_id from connectors' },
      [],
    )
    assert.equal(held.length, 2)
  })
})

describe('a reconnect', () => {
  it('takes the connector’s own values where none are given, also with a bearer alone', async () => {
    await connect('three', 'conn_again')
    assert.equal((await connectShop(service, undefined, { connector_id: 'conn_again' })).status, 200)
    const departure = await service.call('GET', authorizePath({ connector_id: 'conn_again' }, shopSlug))
    assert.equal(new URL(departure.headers.get('location') ?? '').host, `three.shops.localhost:${shops.port}`)
    assert.deepEqual((await connector('conn_again'))['url_variables'], { shop: 'three' })
  })

  it('at another host is another account, even where both know the same account id', async () => {
    const refused = await askSession(service, { shop: 'two' }, { body: { connector_id: 'conn_again' } })
    await assertProblem(refused, 409, 'account_changed')
    await connect('two', 'conn_again', { allow_account_change: true })
    assert.deepEqual((await connector('conn_again'))['url_variables'], { shop: 'two' })
  })

  it('at another host ends what was lent, and does not call off a revocation at the old one', async () => {
    await connect('three', 'conn_lent')
    const lease = { methods: ['GET'], paths: ['/orders'], ttl_seconds: 600 }
    const lent = await dataOf(await service.call('POST', `${connectorsPath}/conn_lent/leases`, { body: lease }), 201)
    const callLent = () => service.call('GET', proxyPath('conn_lent', '/orders'), { token: String(lent['lease']) })
    assert.equal((await callLent()).status, 200)
    await connect('one', 'conn_lent', { allow_account_change: true })
    assert.equal((await callLent()).status, 401)
    await connect('three', 'conn_lent', { allow_account_change: true })
    assert.equal((await service.call('DELETE', `${connectorsPath}/conn_lent`)).status, 202)
    service.clock.advance(1000)
    await connect('two', 'conn_lent', { allow_account_change: true })
    const earlier = shops.askedOf('three', '/revoke').length
    await revokeDue(service.context)
    assert.ok(shops.askedOf('three', '/revoke').length > earlier)
  })

  it('refuses at the end what changed between start and end', async () => {
    const created = await dataOf(
      await askSession(service, { shop: 'three' }, { body: { connector_id: 'conn_race' } }),
      201,
    )
    await connect('one', 'conn_race')
    const departure = await fetch(String(created['authorize_url']), { redirect: 'manual' })
    const state = new URL(departure.headers.get('location') ?? '').searchParams.get('state') ?? ''
    const finished = await service.call('GET', `/v1/connectors/oauth/${shopSlug}/callback?code=c&state=${state}`)
    await assertProblem(finished, 409, 'account_changed')
    assert.deepEqual((await connector('conn_race'))['url_variables'], { shop: 'one' })
  })
})

describe('values', () => {
  const msgOf = async (reply: Response) => {
    assert.equal(reply.status, 422, await reply.clone().text())
    const { detail } = (await jsonOf(reply)) as { detail: { loc: unknown[]; msg: string; type: string }[] }
    return detail.map(({ loc, msg, type }) => [loc.join('.'), type, msg])
  }

  it('that are missing, unknown or unfit are told all at once, with what fits', async () => {
    const pattern = '^[a-z0-9][a-z0-9-]{0,30}$'
    const words = 'Shop: The part before .shops.localhost, for example corner'
    for (const none of [undefined, {}]) {
      assert.deepEqual(await msgOf(await askSession(service, none)), [
        ['body.url_variables.shop', 'value_error.missing', `field required; ${words}`],
      ])
    }
    assert.deepEqual(await msgOf(await askSession(service, { shop: 'a b', other: 'x' })), [
      ['body.url_variables.shop', 'value_error.str.regex', `string does not match regex "${pattern}"; ${words}`],
      ['body.url_variables.other', 'value_error.extra', 'extra fields not permitted'],
    ])
    const tooLong = await askSession(service, { shop: 'x'.repeat(301) })
    assert.equal((await msgOf(tooLong))[0]?.[1], 'value_error.any_str.max_length')
    assert.equal((await askSession(service, { shop: ['one'] })).status, 422)
    assert.deepEqual(await msgOf(await askSession(service, { region: 'mars' }, { slug: 'sandbox' })), [
      ['body.url_variables.region', 'value_error.extra', 'extra fields not permitted'],
    ])
  })

  it('can come through a session only: a bearer alone is told so', async () => {
    await assertProblem(await service.call('GET', authorizePath({}, shopSlug)), 409, 'url_variables_required')
    const more = authorizePath({ url_variables: '{"shop":"one"}', shop: 'one' }, shopSlug)
    await assertProblem(await service.call('GET', more), 409, 'url_variables_required')
  })

  it('come with an import, whose key remembers them', async () => {
    const send = (shop: string | undefined) =>
      service.call('POST', connectorsPath, {
        headers: { 'idempotency-key': 'import-1' },
        body: {
          provider_slug: shopSlug,
          connector_id: 'conn_imported',
          credential: { access_token: 'imported' },
          ...(shop === undefined ? {} : { url_variables: { shop } }),
        },
      })
    assert.equal((await msgOf(await send(undefined)))[0]?.[1], 'value_error.missing')
    assert.equal((await msgOf(await send('evil.example/')))[0]?.[1], 'value_error.str.regex')
    assert.deepEqual((await dataOf(await send('Two'), 201))['url_variables'], { shop: 'two' })
    await assertProblem(await send('one'), 409, 'idempotency_conflict')
    const reply = await service.call('GET', proxyPath('conn_imported', '/orders'))
    assert.equal(await reply.text(), 'orders of two')
  })

  it('that were pasted as an address, a host or in capitals are understood', async () => {
    for (const shop of ['ONE', ' one ', 'one.shops.localhost', 'https://One.shops.localhost/admin?x=1#y']) {
      const { authorize_url: url } = await dataOf(await askSession(service, { shop }), 201)
      const departure = await fetch(String(url), { redirect: 'manual' })
      const { host } = new URL(departure.headers.get('location') ?? '')
      assert.equal(host, `one.shops.localhost:${shops.port}`, shop)
    }
  })

  it('that would lead elsewhere cost a 422 and reach no network', async () => {
    const earlier = shops.provider.seen.length
    for (const shop of hostile(shops.port)) {
      assert.equal((await askSession(service, { shop })).status, 422, shop)
    }
    assert.equal(shops.provider.seen.length, earlier)
  })
})

it('a callback from another shop than the one asked reaches no network, where the provider names the shop', async () => {
  const rule = { pattern: '^[a-z0-9][a-z0-9-]{0,30}$', equals_url_variable: 'shop' }
  await using named = await startShops(['one', 'two'], { callback_params: { shop: rule } })
  const { data } = (await (await askSession(named.service, { shop: 'one' })).json()) as { data: Json }
  const departure = await fetch(String(data['authorize_url']), { redirect: 'manual' })
  const state = new URL(departure.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const callback = (shop: string) =>
    named.service.call('GET', `/v1/connectors/oauth/${shopSlug}/callback?code=c&state=${state}&shop=${shop}`)
  await assertProblem(await callback('two'), 400, 'invalid_state')
  assert.deepEqual(named.hostsAsked(), [])
  assert.equal((await callback('one')).status, 200)
  assert.deepEqual(named.hostsAsked(), [`one.shops.localhost:${named.port}`])
})

it('a migrated connector keeps its context, whose values stood with the app alone', async () => {
  await using old = await startShops(['one'])
  const { database } = old.service
  const admin = new pg.Client({ connectionString: database.adminUrl })
  await admin.connect()
  try {
    const patchOld = (body: object) => old.service.call('PATCH', `${adminPath}/${shopSlug}`, { body })
    const app = { client_id: 'own', client_secret: 's', url_variables: { shop: 'one' } }
    assert.equal((await patchOld(app)).status, 200)
    assert.equal((await connectShop(old.service, undefined, { connector_id: 'conn_old' })).status, 200)
    const columns = ['connectors', 'transactions', 'revocations'].map(
      (t) => `alter table ${t} drop column url_variables`,
    )
    await admin.query([...columns, `delete from migrations where name = '0012_url_variables.sql'`].join(';'))
    const url = new URL('../../migrations/0012_url_variables.sql', import.meta.url)
    const owner = new pg.Client({ connectionString: database.databaseUrl })
    await owner.connect()
    await owner.query(`begin; ${await readFile(url, 'utf8')}; commit`)
    await owner.end()
    const { rows: held } = await admin.query<Json>('select url_variables from connectors')
    assert.deepEqual(held, [{ url_variables: { shop: 'one' } }])
    // The administrator leaves the shop to those who connect: the old connector goes on.
    assert.equal((await patchOld({ url_variables: { shop: null }, client_secret: 's' })).status, 200)
    old.service.clock.advance(3_600_000)
    const reply = await old.service.call('POST', `${connectorsPath}/conn_old/token`)
    assert.match(String((await dataOf(reply))['access_token']), /^access-one-/)
  } finally {
    await admin.end()
  }
})

describe('an administrator', () => {
  it('fixes a value for the tenant, and takes it away again without ending its connectors', async () => {
    const set = { client_id: 'own', client_secret: 'own-secret', url_variables: { shop: 'one' } }
    const fixed = await dataOf(await patch(set))
    assert.deepEqual(
      [fixed['setup_complete'], fixed['secret_audience']],
      [true, `http://one.shops.localhost:${shops.port}`],
    )
    const mine = await dataOf<Json[]>(await service.call('GET', '/v1/connector-providers'))
    const seen = mine.find((provider) => provider['provider_slug'] === shopSlug)?.['url_variables'] as Json[]
    assert.deepEqual([seen[0]?.['per'], seen[0]?.['required']], ['app', false])
    // Asked for by name it is the same; another is refused.
    assert.equal((await askSession(service, { shop: 'one' })).status, 201)
    assert.equal((await askSession(service, { shop: 'two' })).status, 422)
    assert.equal((await connectShop(service, undefined, { connector_id: 'conn_fixed' })).status, 200)

    const opened = await dataOf(await patch({ url_variables: { shop: null } }))
    assert.deepEqual([opened['has_secret'], opened['setup_complete']], [false, false])
    const given = await dataOf(await patch({ client_secret: 'secret-for-all' }))
    assert.deepEqual(
      [given['setup_complete'], given['secret_audience']],
      [true, `http://*.shops.localhost:${shops.port}`],
    )
    service.clock.advance(3_600_000)
    assert.match(String(await token('conn_fixed')), /^access-one-/)
    await connect('two', 'conn_beside')
    const sent = shops.askedOf('two', '/token').at(-1)
    assert.equal(new URLSearchParams(sent?.body).get('client_secret'), 'secret-for-all')
  })

  it('who fixes another value makes a new context: old tokens stay behind, and a reconnect moves', async () => {
    assert.equal((await patch({ url_variables: { shop: 'two' } })).status, 200)
    service.clock.advance(3_600_000)
    const earlier = shops.provider.seen.length
    await assertProblem(await service.call('POST', `${connectorsPath}/conn_fixed/token`), 409, 'reauth_required')
    await assertProblem(await service.call('GET', proxyPath('conn_fixed', '/orders')), 409, 'reauth_required')
    assert.equal(shops.provider.seen.length, earlier)
    assert.equal((await connectShop(service, undefined, { connector_id: 'conn_fixed' })).status, 200)
    assert.deepEqual((await connector('conn_fixed'))['url_variables'], { shop: 'two' })
    assert.equal((await patch({ url_variables: { shop: null } })).status, 200)
  })
})

it('nothing of all this was asked of any other host', () => {
  const known = ['one', 'three', 'two'].map((name) => `${name}.shops.localhost:${shops.port}`)
  assert.deepEqual(shops.hostsAsked(), known)
})

/** What somebody might enter who wants code, secret and tokens for himself. */
function hostile(port: string): string[] {
  return [
    '',
    '.',
    '..',
    'evil.example',
    'evil.example/',
    'evil.example#',
    'evil.example?',
    'evil.example/.shops.localhost',
    'evil.example#.shops.localhost',
    'one.shops.localhost.evil.example',
    `one.shops.localhost:${port}@evil.example`,
    'one@evil.example',
    'evil@one.shops.localhost',
    'https://one@evil.example',
    'https://evil.example/one.shops.localhost',
    'one%2eevil',
    'one%2f',
    'one%00',
    'one\u0001',
    'one\n.evil.example',
    'one\\evil.example',
    'one:8080',
    'one/two',
    'one..two',
    '-one',
    'ｏne',
    'one\u3002evil',
    '\u212Aelvin',
    'оne',
    'a.b',
    '*',
    '{shop}',
    '127.0.0.1',
    '[::1]',
    'http://169.254.169.254/',
    'javascript:alert(1)',
    'file:///etc/passwd',
    '//evil.example',
    'x'.repeat(300),
    'x'.repeat(32),
  ]
}
