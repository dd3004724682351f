import assert from 'node:assert/strict'
import { request } from 'node:http'
import { it } from 'node:test'
import {
  callApi,
  CLIENT_ID,
  clientPost,
  connect,
  jsonOf,
  refreshFields,
  sandboxFor,
  tokenRequest,
  tokensOf,
} from './support/flow.ts'

it('fails token requests with the status it is told, and does no work', async (test) => {
  const sandbox = await sandboxFor(test)
  const { refresh_token } = await connect(sandbox)
  sandbox.behave({ failTokenWith: 503, retryAfter: '7' })
  const failed = await tokenRequest(sandbox, refreshFields(refresh_token))
  assert.equal(failed.status, 503)
  assert.equal(failed.headers.get('retry-after'), '7')
  assert.equal((await jsonOf(failed))['error'], 'temporarily_unavailable')
  sandbox.behave({ failTokenWith: undefined })
  assert.equal((await tokenRequest(sandbox, refreshFields(refresh_token))).status, 200)
  assert.deepEqual([sandbox.counts.tokenRequests, sandbox.counts.refreshes], [3, 1])
})

it('spends the refresh token although the reply is dropped', async (test) => {
  const sandbox = await sandboxFor(test)
  const { refresh_token } = await connect(sandbox)
  sandbox.behave({ dropTokenReply: true })
  await assert.rejects(tokenRequest(sandbox, refreshFields(refresh_token)))
  sandbox.behave({ dropTokenReply: false })
  assert.equal(sandbox.counts.refreshes, 1)
  assert.equal((await tokenRequest(sandbox, refreshFields(refresh_token))).status, 400)
})

it('has done the work while it still holds the reply back', async (test) => {
  const sandbox = await sandboxFor(test)
  const { refresh_token } = await connect(sandbox)
  sandbox.behave({ replyAfterMs: 400 })
  const start = performance.now()
  const reply = tokenRequest(sandbox, refreshFields(refresh_token))
  while (sandbox.counts.refreshes === 0) await new Promise((resolve) => setImmediate(resolve))
  const workedAfterMs = performance.now() - start
  assert.equal((await reply).status, 200)
  assert.ok(performance.now() - start >= 400)
  assert.ok(workedAfterMs < 400)
})

it('answers nonsense when told to', async (test) => {
  const sandbox = await sandboxFor(test)
  const { refresh_token } = await connect(sandbox)
  sandbox.behave({ garbleTokenReply: true })
  const reply = await tokenRequest(sandbox, refreshFields(refresh_token))
  assert.equal(reply.status, 200)
  await assert.rejects(reply.json())
})

it('cuts every connection while it is down', async (test) => {
  const sandbox = await sandboxFor(test)
  sandbox.behave({ down: true })
  await assert.rejects(fetch(sandbox.issuer))
  sandbox.behave({ down: false })
  assert.equal((await fetch(sandbox.issuer)).status, 200)
})

it('fails revocation, the API and userinfo on their own', async (test) => {
  const sandbox = await sandboxFor(test)
  const { access_token } = await connect(sandbox)
  sandbox.behave({ failRevocationWith: 500, failApiWith: 429, retryAfter: '1' })
  assert.equal((await clientPost(sandbox, '/token/revocation', { token: access_token })).status, 500)
  assert.equal((await callApi(sandbox, '/api/v1/profile', access_token)).status, 429)
  assert.equal((await callApi(sandbox, '/me', access_token)).status, 429)
  sandbox.behave({ failRevocationWith: undefined, failApiWith: undefined })
  assert.equal((await callApi(sandbox, '/me', access_token)).status, 200)
})

it('answers only to names of this machine', async (test) => {
  const sandbox = await sandboxFor(test)
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
  const options = { port: sandbox.port, host: '127.0.0.1', headers: { host: 'rebound.example' } }
  request(options, (reply) => resolve(reply.resume().statusCode))
    .on('error', reject)
    .end()
  assert.equal(await promise, 421)
})

it('says nothing on the console', async (test) => {
  const said: unknown[] = []
  for (const method of ['log', 'info', 'warn', 'error'] as const) {
    test.mock.method(console, method, (...words: unknown[]) => said.push(words))
  }
  const sandbox = await sandboxFor(test)
  const { refresh_token } = await connect(sandbox)
  const { access_token } = await tokensOf(await tokenRequest(sandbox, refreshFields(refresh_token)))
  await clientPost(sandbox, '/token/introspection', { token: access_token })
  await clientPost(sandbox, '/token/revocation', { token: access_token })
  assert.deepEqual(said, [])
})

it('refuses to start with two clients of one id, or on a port that is taken', async (test) => {
  const client = { clientId: CLIENT_ID, redirectUris: [] }
  await assert.rejects(sandboxFor(test, { clients: [client, client] }), /share a client id/)
  const first = await sandboxFor(test)
  await assert.rejects(sandboxFor(test, { port: first.port }), { code: 'EADDRINUSE' })
})
