import assert from 'node:assert/strict'
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { tenantId } from '../../src/core/ids.ts'
import { Secret } from '../../src/core/secret.ts'
import { addDataKeys } from '../../src/domain/add-data-keys.ts'
import { connectorPlace } from '../../src/domain/connector-places.ts'
import type { Context } from '../../src/domain/context.ts'
import { epochStatus, judgeKeys, keyStatus } from '../../src/domain/key-status.ts'
import { countLeft, reseal } from '../../src/domain/reseal.ts'
import { carryOutRotation, orderKeyRotation } from '../../src/domain/rotate-keys.ts'
import { dataKeys } from '../../src/store/data-keys.ts'
import { heldKeys, RetiredKey, UnknownKey } from '../../src/vault/key-encryption-keys.ts'
import { createVault, SealBroken } from '../../src/vault/vault.ts'
import { connectorRow, readToken, rows } from '../support/connectors.ts'
import { connectAccount } from '../support/consent.ts'
import { startTestService, type TestService } from '../support/service.ts'

const acme = tenantId('acme')
const minuteMs = 60_000
const newKey = (id: string) => ({ id, key: createSecretKey(randomBytes(32)) })
const sharedKey = createSecretKey(randomBytes(32))
type Key = { readonly id: string; readonly key: KeyObject }

let service: TestService
let old: Key

beforeEach(async () => {
  const bytes = randomBytes(32)
  old = { id: 'old', key: createSecretKey(bytes) }
  service = await startTestService({ env: { ENCRYPTION_KEYS: `old:${bytes.toString('base64')}` } })
})
afterEach(async () => {
  await service[Symbol.asyncDispose]()
})

/** A process of the same deployment with keys of its own. */
function processWith(...keys: readonly Key[]): Context {
  const keyEncryptionKeys = heldKeys(keys)
  const vault = createVault(keyEncryptionKeys, dataKeys(service.context.database), service.clock)
  return { ...service.context, keyEncryptionKeys, vault }
}

async function rotate(context: Context, what: 'all-keys' | 'data-keys' = 'all-keys') {
  const ordered = await orderKeyRotation(context, what)
  assert.ok(ordered.kind === 'ordered' || ordered.kind === 'continued', ordered.kind)
  return carryOutRotation(context, ordered.order, () => {})
}

/** Lets the routine do all that is due now. */
async function work(context: Context): Promise<void> {
  for (let round = 0; round < 100; round += 1) if ((await reseal(context)) === 0) return
  assert.fail('It never came to an end')
}

async function leftIn(context: Context): Promise<number> {
  return [...(await countLeft(context)).values()].reduce((all, left) => all + left, 0)
}

async function epochs(tenant = 'acme'): Promise<readonly unknown[]> {
  const found = await rows(service, 'select epoch from data_keys where tenant_id = $1 order by epoch', [tenant])
  return found.map((row) => row['epoch'])
}

async function openAccess(context: Context, id: string): Promise<string> {
  const row = await connectorRow(service, id)
  assert.ok(row.access_token)
  return (await context.vault.open(connectorPlace(row, 'access_token'), row.access_token)).reveal()
}

describe('a rotation to a new key', () => {
  it('re-wraps every data key at once, adds one for each tenant, retires the old key and says so', async () => {
    const id = await connectAccount(service)
    await connectAccount(service, { token: await service.token({ tenant: 'other' }) })
    const before = await openAccess(service.context, id)
    const renewed = processWith({ id: 'new', key: sharedKey }, old)
    const { progress, retired } = await rotate(renewed)
    assert.deepEqual(progress, { rewrapped: 2, unreadable: 0, newDataKeys: 2 })
    assert.deepEqual(retired, ['old'])
    assert.deepEqual(await keyStatus(renewed), [
      { keyId: 'new', state: 'wraps', dataKeys: 4 },
      { keyId: 'old', state: 'retired', dataKeys: 0 },
    ])
    assert.equal(await openAccess(processWith({ id: 'new', key: sharedKey }), id), before)
    const events = await rows(
      service,
      `select tenant_id, resource_type, resource_id from events where event_type = 'key.rotated' order by tenant_id`,
    )
    assert.deepEqual(events, [
      { tenant_id: 'acme', resource_type: 'key', resource_id: '2' },
      { tenant_id: 'other', resource_type: 'key', resource_id: '2' },
    ])
  })

  it('needs a new first key, unless only data keys are wanted', async () => {
    await connectAccount(service)
    assert.deepEqual(await orderKeyRotation(service.context, 'all-keys'), { kind: 'no-new-key', keyId: 'old' })
    const { progress, retired } = await rotate(service.context, 'data-keys')
    assert.deepEqual([progress.newDataKeys, progress.rewrapped, retired], [1, 0, []])
    assert.deepEqual(await orderKeyRotation(service.context, 'all-keys'), { kind: 'no-new-key', keyId: 'old' })
  })

  it('is carried on by the background work of another process when it was only ordered', async () => {
    await connectAccount(service)
    const current = { id: 'new', key: sharedKey }
    assert.equal((await orderKeyRotation(processWith(current, old), 'all-keys')).kind, 'ordered')
    assert.equal((await orderKeyRotation(processWith(current, old), 'all-keys')).kind, 'continued')
    await work(processWith(current, old))
    assert.deepEqual(await epochs(), [1, 2])
    assert.equal((await orderKeyRotation(processWith(current, old), 'all-keys')).kind, 'no-new-key')
  })

  it('is left alone by processes that have another first key', async () => {
    await connectAccount(service)
    await orderKeyRotation(processWith(newKey('new'), old), 'all-keys')
    await work(service.context)
    assert.deepEqual(await epochs(), [1])
  })

  it('goes on past a data key whose bytes were altered, and does not retire its key', async () => {
    await connectAccount(service)
    await connectAccount(service, { token: await service.token({ tenant: 'other' }) })
    await rows(service, `update data_keys set wrapped = wrapped || '\\x00' where tenant_id = 'acme'`)
    const { progress, retired } = await rotate(processWith(newKey('new'), old))
    assert.deepEqual([progress.rewrapped, progress.unreadable, retired], [1, 1, []])
  })
})

describe('after a rotation', () => {
  it('values are sealed anew without a change that a reader could see, and then the old data key is destroyed', async () => {
    const id = await connectAccount(service, { query: { token: 'caller-context' } })
    const before = await connectorRow(service, id)
    const renewed = processWith({ id: 'new', key: sharedKey }, old)
    await rotate(renewed)
    assert.ok((await leftIn(renewed)) >= 3)
    await work(renewed)
    assert.equal(await leftIn(renewed), 0)
    const after = await connectorRow(service, id)
    assert.equal(after.access_token?.readUInt32BE(2), 2)
    assert.equal(after.refresh_token?.readUInt32BE(2), 2)
    const { access_token: _a, refresh_token: _r, ...restAfter } = after
    const { access_token: _b, refresh_token: _s, ...restBefore } = before
    assert.deepEqual(restAfter, restBefore)
    assert.deepEqual(await epochs(), [1, 2], 'others may still be about to use it')
    for (let minute = 0; minute < 8; minute += 1) {
      service.clock.advance(minuteMs)
      await work(renewed)
    }
    assert.deepEqual(await epochs(), [2])
    assert.deepEqual(await epochStatus(renewed), [{ epoch: 2, dataKeys: 1, left: 0 }])
    assert.ok(await openAccess(processWith({ id: 'new', key: sharedKey }), id))
  })

  it('a data key stays as long as any value needs it, even one that came late', async () => {
    const id = await connectAccount(service)
    const early = await connectorRow(service, id)
    const renewed = processWith({ id: 'new', key: sharedKey }, old)
    await rotate(renewed)
    await work(renewed)
    service.clock.advance(3 * minuteMs)
    await work(renewed)
    // Whoever held the old bytes all the while stores them now.
    await rows(service, 'update connectors set access_token = $2 where connector_id = $1', [id, early.access_token])
    service.clock.advance(6 * minuteMs)
    await work(renewed)
    assert.deepEqual(await epochs(), [1, 2])
    assert.equal(await leftIn(renewed), 0)
    assert.ok(await openAccess(renewed, id))
  })

  it('a value that was altered is left as it is, and its data key with it', async () => {
    const id = await connectAccount(service)
    await rows(service, `update connectors set access_token = access_token || '\\x00' where connector_id = $1`, [id])
    const { access_token: altered } = await connectorRow(service, id)
    const renewed = processWith({ id: 'new', key: sharedKey }, old)
    await rotate(renewed)
    for (let minute = 0; minute < 10; minute += 1) {
      await work(renewed)
      service.clock.advance(minuteMs)
    }
    assert.deepEqual((await connectorRow(service, id)).access_token, altered)
    assert.equal(await leftIn(renewed), 1)
    assert.deepEqual(await epochs(), [1, 2])
  })

  it('a change that comes first is never overwritten, nor waited for', async () => {
    const id = await connectAccount(service)
    const renewed = processWith({ id: 'new', key: sharedKey }, old)
    await rotate(renewed)
    const place = connectorPlace(await connectorRow(service, id), 'access_token')
    const { database, vault } = service.context
    const write = { name: 'test.write', text: 'update connectors set access_token = $2 where connector_id = $1' }
    await database.transaction(acme, async (db) => {
      const sealed = await vault.seal(place, new Secret('newer'))
      await db.query(write, [id, sealed])
      // The row is held: the round passes it by.
      await work(renewed)
    })
    service.clock.advance(minuteMs)
    await work(renewed)
    assert.equal(await openAccess(renewed, id), 'newer')
    assert.equal(await leftIn(renewed), 0)
  })

  it('the old key opens nothing and wraps nothing, even where it is still listed', async () => {
    const id = await connectAccount(service)
    const backup = await rows(service, 'select wrapped from data_keys')
    await rotate(processWith({ id: 'new', key: sharedKey }, old))
    // A process that has only the old key: what it has opened goes on, what it has not is refused without harm.
    await assert.rejects(openAccess(processWith(old), id), UnknownKey)
    assert.equal((await readToken(service, id)).status, 200)
    await assert.rejects(processWith(old).vault.prepare(tenantId('newcomer')), /retired/)
    assert.deepEqual(await epochs('newcomer'), [])
    // A row out of an old copy does not bring it back.
    await rows(service, `update data_keys set key_encryption_key_id = 'old', wrapped = $1 where epoch = 1`, [
      backup[0]?.['wrapped'],
    ])
    await assert.rejects(openAccess(processWith({ id: 'new', key: sharedKey }, old), id), RetiredKey)
    assert.deepEqual(await judgeKeys(processWith(old)), { isFirstRetired: true, retired: ['old'], missing: ['new'] })
    assert.deepEqual(await judgeKeys(processWith({ id: 'new', key: sharedKey }, old)), {
      isFirstRetired: false,
      retired: ['old'],
      missing: [],
    })
    assert.equal((await orderKeyRotation(processWith(old), 'all-keys')).kind, 'retired')
  })

  it('a read without the key answers 503, and the connector stays as it was', async () => {
    const id = await connectAccount(service)
    await rotate(processWith(newKey('new'), old))
    await rows(service, 'update connectors set access_token_expires_at = null')
    // Long enough for the service to look again; what it has opened needs no key.
    service.clock.advance(6 * minuteMs)
    assert.equal((await readToken(service, id)).status, 200)
    const stranger = await connectAccountOfNewTenant()
    assert.equal(stranger.status, 503)
    assert.equal(stranger.code, 'encryption_key_unavailable')
    assert.equal((await connectorRow(service, id)).health, 'active')
    assert.ok(service.logs.some((line) => line.includes('a key is unavailable') && line.includes('retired')))
  })

  it('an erased tenant’s key is forgotten within five minutes by a process that had it open', async () => {
    const id = await connectAccount(service)
    assert.ok(await openAccess(service.context, id))
    await rows(service, `delete from data_keys where tenant_id = 'acme'`)
    assert.ok(await openAccess(service.context, id), 'the check below would show nothing')
    service.clock.advance(5 * minuteMs)
    await assert.rejects(openAccess(service.context, id), SealBroken)
  })
})

describe('the meter of encryptions', () => {
  it('is written down, and the next data key is made when it is full', async () => {
    const vault = createVault(service.context.keyEncryptionKeys, dataKeys(service.context.database), service.clock)
    const place = { ...connectorPlace(placeholder, 'access_token'), tenantId: acme }
    for (let count = 0; count < 7; count += 1) await vault.seal(place, new Secret('x'))
    await vault.flush()
    await vault.seal(place, new Secret('x'))
    await vault.flush()
    const [row] = await rows(service, `select encryptions::int as n from data_keys where tenant_id = 'acme'`)
    assert.equal(row?.['n'], 8)
    assert.equal(await addDataKeys(service.context, undefined, () => {}, 9), 0)
    assert.equal(await addDataKeys(service.context, undefined, () => {}, 8), 1)
    assert.equal(await addDataKeys(service.context, undefined, () => {}, 8), 0)
    assert.deepEqual(await epochs(), [1, 2])
    service.clock.advance(30_000)
    assert.equal((await vault.seal(place, new Secret('x'))).readUInt32BE(2), 2, 'noticed in half a minute')
  })
})

const placeholder = {
  tenant_id: 'acme',
  space_id: '123e4567-e89b-12d3-a456-426614174001',
  collection_id: '123e4567-e89b-12d3-a456-426614174000',
  connector_id: 'conn_x',
}

async function connectAccountOfNewTenant() {
  const token = await service.token({ tenant: 'latecomer' })
  const reply = await service.call('PATCH', '/v1/admin/connector-providers/github', {
    token,
    body: { client_id: 'an-app', client_secret: 'a-secret' },
  })
  const body = (await reply.json()) as { code?: string }
  return { status: reply.status, code: body.code }
}
