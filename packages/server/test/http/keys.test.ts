import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { readToken, until } from '../support/connectors.ts'
import { connectAccount } from '../support/consent.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { anonymous, assertProblem, dataOf, eventsOf, rows, signed } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService({ background: true })
})
after(() => service[Symbol.asyncDispose]())

interface Keys {
  readonly data_keys: readonly {
    readonly epoch: number
    readonly state: string
    readonly key_encryption_key_id: string
    readonly encryptions: number
  }[]
  readonly rotation: { readonly epoch: number; readonly superseded: number } | null
}

const keys = (token?: string) =>
  service.call('GET', '/v1/admin/keys', token === undefined ? {} : { token }).then((reply) => dataOf<Keys>(reply))
const rotate = async (token?: string) =>
  dataOf<Keys['data_keys'][number]>(
    await service.call('POST', '/v1/admin/keys/rotate', token === undefined ? {} : { token }),
    202,
  )

it('gives a tenant a new data key, seals anew with it, and leaves other tenants alone', async () => {
  const id = await connectAccount(service)
  const other = await service.token({ tenant: 'globex' })
  await rotate(other)
  const made = await keys()
  assert.deepEqual(
    made.data_keys.map(({ epoch, state }) => [epoch, state]),
    [[1, 'seals']],
  )
  assert.equal(made.rotation, null)

  service.clock.advance(61_000)
  assert.equal((await rotate()).epoch, 2)
  const { data_keys: dataKeys, rotation } = await keys()
  assert.deepEqual(
    dataKeys.map(({ epoch, state, key_encryption_key_id: keyId }) => [epoch, state, keyId]),
    [
      [2, 'seals', 'development'],
      [1, 'opens', 'development'],
    ],
  )
  assert.deepEqual([rotation?.epoch, rotation?.superseded], [2, 1])
  assert.deepEqual(
    (await keys(other)).data_keys.map(({ epoch }) => epoch),
    [1],
  )

  await until(async () => {
    const [row] = await rows(
      service,
      `select get_byte(access_token, 5) as epoch from connectors where connector_id = $1`,
      [id],
    )
    return row?.['epoch'] === 2
  })
  assert.equal((await readToken(service, id)).status, 200)

  const [event] = await eventsOf(service, { category: 'key' })
  assert.deepEqual([event?.['event_type'], event?.['actor_id'], event?.['resource_id']], ['key.rotated', 'ada', '2'])
  const [entry] = await dataOf<readonly Readonly<Record<string, unknown>>[]>(
    await service.call('GET', '/v1/admin/audit?action=key.rotated'),
  )
  assert.deepEqual([entry?.['actor_id'], entry?.['resource_type']], ['ada', 'key'])
})

it('takes two orders within a minute for one', async () => {
  const token = await service.token({ tenant: 'initech' })
  const [first, second] = await Promise.all([rotate(token), rotate(token)])
  assert.equal(first.epoch, second.epoch)
  assert.equal((await rotate(token)).epoch, first.epoch)
  assert.equal((await keys(token)).data_keys.length, 1)
})

it('is for administrators of the whole tenant', async () => {
  const reader = await service.token({ scope: 'connectors:read connectors:manage' })
  for (const [method, path] of [
    ['GET', '/v1/admin/keys'],
    ['POST', '/v1/admin/keys/rotate'],
  ] as const) {
    await assertProblem(await anonymous(service, path, {}, method), 401, 'unauthorized')
    await assertProblem(await service.call(method, path, { token: reader }), 403, 'missing_right')
    for (const claim of [{ spaces: [spaceId] }, { collections: [collectionId] }]) {
      const narrowed = await signed(service, claim)
      await assertProblem(await service.call(method, path, { token: narrowed }), 403, 'space_forbidden')
    }
  }
})
