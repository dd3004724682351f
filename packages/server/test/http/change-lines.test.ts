import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { connectorPath, readToken, until } from '../support/connectors.ts'
import { connectAccount } from '../support/consent.ts'
import { startTestService, type TestService } from '../support/service.ts'

let service: TestService
before(async () => {
  service = await startTestService({ background: true })
})
after(() => service[Symbol.asyncDispose]())

type Line = Readonly<Record<string, unknown>>

/** The lines that tell of a connector, oldest first. */
function linesOf(id: string): readonly Line[] {
  return service.logs.map((line) => JSON.parse(line) as Line).filter((line) => line['connector_id'] === id)
}
const changesOf = (id: string) => linesOf(id).flatMap((line) => (line['change'] === undefined ? [] : [line['change']]))

it('writes one line for each change of a connector, with the request that made it', async () => {
  const id = await connectAccount(service)
  await connectAccount(service, { query: { connector_id: id } })
  assert.equal((await readToken(service, id)).status, 200)
  assert.equal((await service.call('DELETE', connectorPath(id))).status, 202)
  assert.equal((await service.call('DELETE', connectorPath(id))).status, 202)
  await until(() => changesOf(id).includes('revoked'))
  assert.deepEqual(changesOf(id), ['connected', 'reconnected', 'disconnected', 'revoked'])
  const [first] = linesOf(id)
  assert.deepEqual([first?.['tenant_id'], first?.['level']], ['acme', 30])
  assert.match(String(first?.['request_id']), /./)
})

it('leaves a refresh that failed to its own line, which says the state', async () => {
  const id = await connectAccount(service)
  service.sandbox.revokeEverything()
  service.clock.advance(119_000)
  assert.equal((await readToken(service, id)).status, 409)
  assert.deepEqual(changesOf(id), ['connected'])
  const told = linesOf(id).filter((line) => line['health'] === 'reauth_required')
  assert.equal(told.length, 1)
})
