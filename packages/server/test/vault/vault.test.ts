import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { tenantId } from '../../src/core/ids.ts'
import { Secret } from '../../src/core/secret.ts'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { dataKeys } from '../../src/store/data-keys.ts'
import { heldKeys, UnknownKey } from '../../src/vault/key-encryption-keys.ts'
import { associatedData, type Place } from '../../src/vault/place.ts'
import { createVault, SealBroken, type DataKeyStore, type WrappedDataKey } from '../../src/vault/vault.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

const place: Place = {
  purpose: 'connector',
  tenantId: tenantId('acme'),
  spaceId: 'space',
  collectionId: 'collection',
  subjectId: 'conn_1',
  field: 'access_token',
}

let testDatabase: TestDatabase
let database: Database
let store: DataKeyStore
const key = { id: 'a', key: createSecretKey(randomBytes(32)) }

before(async () => {
  testDatabase = await createTestDatabase()
  database = openDatabase(testDatabase.databaseUrl)
  store = dataKeys(database)
})
after(async () => {
  await database.close()
  await testDatabase.drop()
})

describe('the vault', () => {
  it('opens what it sealed, empty and long and beyond ASCII', async () => {
    const vault = createVault(heldKeys([key]), store)
    for (const text of ['', 'x', 'ü€😀', 'token'.repeat(3_000)]) {
      const opened = await vault.open(place, await vault.seal(place, new Secret(text)))
      assert.equal(opened.reveal(), text)
    }
  })

  it('heads each value with version, algorithm and the data key’s epoch, and shows nothing of the text', async () => {
    const vault = createVault(heldKeys([key]), store)
    const sealed = await vault.seal(place, new Secret('plainly visible'))
    assert.deepEqual([...sealed.subarray(0, 6)], [1, 1, 0, 0, 0, 1])
    assert.equal(sealed.length, 6 + 12 + 'plainly visible'.length + 16)
    assert.ok(!sealed.includes('plainly'))
    assert.notDeepEqual(sealed, await vault.seal(place, new Secret('plainly visible')))
  })

  it('opens nothing of which any byte was altered, added or taken away', async () => {
    const vault = createVault(heldKeys([key]), store)
    const sealed = await vault.seal(place, new Secret('a token'))
    for (let index = 0; index < sealed.length; index += 1) {
      for (const bit of [1, 128]) {
        const altered = Buffer.from(sealed)
        altered.writeUInt8((altered[index] ?? 0) ^ bit, index)
        await assert.rejects(vault.open(place, altered), SealBroken, `byte ${index}`)
      }
      await assert.rejects(vault.open(place, sealed.subarray(0, index)), SealBroken, `cut at ${index}`)
    }
    await assert.rejects(vault.open(place, Buffer.concat([sealed, Buffer.from([0])])), SealBroken)
  })

  it('opens nothing under another tenant, space, collection, subject, field or purpose', async () => {
    const vault = createVault(heldKeys([key]), store)
    const sealed = await vault.seal(place, new Secret('a token'))
    const others: readonly Partial<Place>[] = [
      { purpose: 'revocation' },
      { tenantId: tenantId('other') },
      { spaceId: 'collection', collectionId: 'space' },
      { spaceId: 'elsewhere' },
      { collectionId: 'elsewhere' },
      { subjectId: 'conn_2' },
      { field: 'refresh_token' },
    ]
    // The other tenant has a key of its own, and even with the same key the place would differ.
    await vault.seal({ ...place, tenantId: tenantId('other') }, new Secret('x'))
    for (const other of others) await assert.rejects(vault.open({ ...place, ...other }, sealed), SealBroken)
    assert.equal((await vault.open(place, sealed)).reveal(), 'a token')
  })

  it('gives no two places the same bytes, wherever their parts are cut', () => {
    const shifted = { ...place, spaceId: 'spacec', collectionId: 'ollection' }
    assert.notDeepEqual(associatedData(place, 1), associatedData(shifted, 1))
    assert.notDeepEqual(associatedData(place, 1), associatedData(place, 2))
    assert.notDeepEqual(associatedData({ ...place, field: 'x1' }, 1), associatedData({ ...place, field: 'x' }, 11))
  })

  it('opens no value whose header names another epoch, even one with the same data key', async () => {
    const tenant = tenantId('two-epochs')
    const keys = heldKeys([key])
    const bytes = randomBytes(32)
    for (const epoch of [1, 2])
      await store.add(tenant, { epoch, createdAt: new Date(), ...(await keys.wrap(bytes, tenant, epoch)) })
    const vault = createVault(keys, store)
    const there = { ...place, tenantId: tenant }
    const sealed = await vault.seal(there, new Secret('a token'))
    assert.equal(sealed.readUInt32BE(2), 2, 'the newest epoch seals')
    sealed.writeUInt32BE(1, 2)
    await assert.rejects(vault.open(there, sealed), SealBroken)
  })

  it('throws UnknownKey when the wrapping key has gone, and opens again once it is back', async () => {
    const vault = createVault(heldKeys([key]), store)
    const sealed = await vault.seal(place, new Secret('a token'))
    const other = { id: 'b', key: createSecretKey(randomBytes(32)) }
    // The right bytes under another id are never tried out.
    for (const keys of [[other], [{ ...key, id: 'b' }]]) {
      await assert.rejects(createVault(heldKeys(keys), store).open(place, sealed), UnknownKey)
    }
    const both = createVault(heldKeys([other, key]), store)
    assert.equal((await both.open(place, sealed)).reveal(), 'a token')
  })

  it('remembers no failure: a store that was away is asked again', async () => {
    const sealed = await createVault(heldKeys([key]), store).seal(place, new Secret('a token'))
    let away = true
    const flaky: DataKeyStore = {
      ...store,
      find: async (...wanted) => {
        if (away) throw new Error('away')
        return store.find(...wanted)
      },
    }
    const vault = createVault(heldKeys([key]), flaky)
    await assert.rejects(vault.open(place, sealed), /away/)
    away = false
    assert.equal((await vault.open(place, sealed)).reveal(), 'a token')
  })

  it('agrees on one first data key when several vaults make it at once', async () => {
    const tenant = tenantId('newcomer')
    const there = { ...place, tenantId: tenant }
    // All of them have found no key before any of them adds one.
    const crowd = 6
    let found = 0
    let letGo = (): void => {}
    const allFound = new Promise<void>((resolve) => (letGo = resolve))
    const racing: DataKeyStore = {
      ...store,
      newest: async (wanted): Promise<WrappedDataKey | undefined> => {
        const answer = await store.newest(wanted)
        found += 1
        if (found === crowd) letGo()
        await allFound
        return answer
      },
    }
    const vaults = Array.from({ length: crowd }, () => createVault(heldKeys([key]), racing))
    const sealed = await Promise.all(vaults.map((vault) => vault.seal(there, new Secret('a token'))))
    const fresh = createVault(heldKeys([key]), store)
    for (const value of sealed) assert.equal((await fresh.open(there, value)).reveal(), 'a token')
  })

  it('opens nothing of a tenant whose data key was destroyed', async () => {
    const there = { ...place, tenantId: tenantId('never-sealed') }
    const sealed = await createVault(heldKeys([key]), store).seal(place, new Secret('a token'))
    await assert.rejects(createVault(heldKeys([key]), store).open(there, sealed), SealBroken)
  })

  it('says nothing of the value when it does not open', async () => {
    const vault = createVault(heldKeys([key]), store)
    const sealed = await vault.seal(place, new Secret('a token'))
    const error = await vault.open({ ...place, field: 'refresh_token' }, sealed).catch((reason: unknown) => reason)
    assert.ok(error instanceof SealBroken)
    assert.equal(error.cause, undefined)
    assert.ok(!error.message.includes('a token') && !error.message.includes(sealed.toString('hex')))
  })
})
