import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { startTestService, type TestService } from '../support/service.ts'
import { anonymous, assertProblem, connectorsPath } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

it('answers a path that cannot be decoded in the contract’s words, with its headers and without repeating it', async () => {
  const good = await anonymous(service, '/nothing-here')
  for (const path of [
    '/%ZZ-planted',
    '/planted%',
    '/planted%ED%A0%80',
    '/v1/connectors/oauth/planted%ZZ/callback?code=x&state=y',
    '/api-proxy/v1/connectors/oauth/planted%C3/authorize',
    `${connectorsPath}/planted%FF`,
  ]) {
    const reply = await anonymous(service, path)
    for (const name of good.headers.keys()) {
      if (['content-length', 'date', 'x-request-id', 'vary'].includes(name) || name.startsWith('access-control-'))
        continue
      assert.equal(reply.headers.get(name), good.headers.get(name), `${path} ${name}`)
    }
    assert.match(reply.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
    const body = await assertProblem(reply, 400, 'bad_request')
    assert.ok(!JSON.stringify(body).includes('planted'))
  }
  assert.ok(!service.logs.some((line) => line.includes('planted')))
})
