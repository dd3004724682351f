import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { connectorPlace } from '../../src/domain/connector-places.ts'
import { revokeDue } from '../../src/domain/revoke-at-provider.ts'
import type { ConnectorRow } from '../../src/store/rows.ts'
import { connectAccount } from '../support/consent.ts'
import { connectorPath, connectorRow, eventTypes, isActive, rows } from '../support/connectors.ts'
import { dumpDatabase, findSecrets } from '../support/dump.ts'
import { startTestService, type TestService } from '../support/service.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

const clientSecret = () => service.context.settings.deploymentApps.get('sandbox')?.clientSecret?.reveal() ?? ''

/** The tokens as the provider knows them, and as they are sealed in the connector's row. */
async function tokensOf(row: ConnectorRow) {
  const { vault } = service.context
  assert.ok(row.access_token && row.refresh_token)
  return {
    access: (await vault.open(connectorPlace(row, 'access_token'), row.access_token)).reveal(),
    refresh: (await vault.open(connectorPlace(row, 'refresh_token'), row.refresh_token)).reveal(),
    sealed: [row.access_token, row.refresh_token],
  }
}

/** Where sealed values stand, whatever the column. */
function placesOf(dump: ReadonlyMap<string, string>, sealed: readonly Buffer[]): readonly string[] {
  return [...dump].filter(([, text]) => sealed.some((value) => text.includes(value.toString('hex')))).map(([at]) => at)
}

it('leaves nothing of the secrets in any table or in a dump taken right after, and the provider says they are dead', async () => {
  const id = await connectAccount(service)
  const tokens = await tokensOf(await connectorRow(service, id))
  const plain = new Map([
    ['access token', tokens.access],
    ['refresh token', tokens.refresh],
  ])
  const atProvider = async () => [
    await isActive(service, clientSecret(), tokens.access),
    await isActive(service, clientSecret(), tokens.refresh),
  ]
  const connected = await dumpDatabase(service.database.adminUrl)
  assert.deepEqual(placesOf(connected, tokens.sealed), ['public.connectors'], 'the test looks in the wrong way')
  assert.deepEqual(await atProvider(), [true, true])

  assert.equal((await service.call('DELETE', connectorPath(id))).status, 202)
  const dump = await dumpDatabase(service.database.adminUrl)
  assert.deepEqual(placesOf(dump, tokens.sealed), [])
  assert.deepEqual(findSecrets(dump, plain), [])

  const queued = await rows(service, 'select access_token, refresh_token from revocations where connector_id = $1', [
    id,
  ])
  // Bytes, by the table's definition.
  const waiting = Object.values(queued[0] ?? {}) as Buffer[]
  assert.deepEqual(placesOf(dump, waiting), ['public.revocations'], 'sealed anew for the revocation alone')
  await revokeDue(service.context)
  assert.deepEqual(await atProvider(), [false, false])
  const last = await dumpDatabase(service.database.adminUrl)
  assert.deepEqual(placesOf(last, [...tokens.sealed, ...waiting]), [])
})

it('tells a provider that is down later, when it is back', async () => {
  const id = await connectAccount(service)
  const { access, refresh } = await tokensOf(await connectorRow(service, id))
  service.sandbox.behave({ down: true })
  assert.equal((await service.call('DELETE', connectorPath(id))).status, 202)
  for (let hour = 0; hour < 6; hour += 1) {
    await revokeDue(service.context)
    service.clock.advance(3_600_000)
  }
  assert.ok(!(await eventTypes(service, id)).includes('connector.revoked'))
  service.sandbox.behave({ down: false })
  // The clock has outlived the access token; the refresh token lives until it is revoked.
  assert.equal(await isActive(service, clientSecret(), refresh), true)
  await revokeDue(service.context)
  assert.equal(await isActive(service, clientSecret(), refresh), false)
  assert.equal(await isActive(service, clientSecret(), access), false)
  assert.ok((await eventTypes(service, id)).includes('connector.revoked'))
})
