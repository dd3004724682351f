import assert from 'node:assert/strict'
import { it, mock } from 'node:test'
import { callApi, connect, jsonOf, refreshFields, sandboxFor, tokenRequest, tokensOf } from './support/flow.ts'

it('rotates the refresh token with each use', async (test) => {
  const sandbox = await sandboxFor(test)
  const first = await connect(sandbox)
  const second = await tokensOf(await tokenRequest(sandbox, refreshFields(first.refresh_token)))
  const third = await tokensOf(await tokenRequest(sandbox, refreshFields(second.refresh_token)))
  assert.equal(new Set([first, second, third].map((tokens) => tokens.refresh_token)).size, 3)
  assert.equal((await callApi(sandbox, '/api/v1/profile', third.access_token)).status, 200)
  assert.equal(sandbox.counts.refreshes, 2)
})

it('kills the whole grant when a spent refresh token comes back', async (test) => {
  const sandbox = await sandboxFor(test)
  const first = await connect(sandbox)
  const second = await tokensOf(await tokenRequest(sandbox, refreshFields(first.refresh_token)))

  const reused = await tokenRequest(sandbox, refreshFields(first.refresh_token))
  assert.equal(reused.status, 400)
  assert.equal((await jsonOf(reused))['error'], 'invalid_grant')
  assert.equal(sandbox.counts.reuseDetections, 1)

  assert.equal((await tokenRequest(sandbox, refreshFields(second.refresh_token))).status, 400)
  assert.equal((await callApi(sandbox, '/api/v1/profile', second.access_token)).status, 401)
})

it('leaves the other connections of the same user alone', async (test) => {
  const sandbox = await sandboxFor(test)
  const [lost, kept] = [await connect(sandbox), await connect(sandbox)]
  await tokenRequest(sandbox, refreshFields(lost.refresh_token))
  await tokenRequest(sandbox, refreshFields(lost.refresh_token))
  assert.equal((await tokenRequest(sandbox, refreshFields(kept.refresh_token))).status, 200)
})

it('serves one of many refreshes at once, and takes the next for theft', async (test) => {
  const sandbox = await sandboxFor(test)
  const { refresh_token } = await connect(sandbox)
  const callers = Array.from({ length: 20 })
  const replies = await Promise.all(callers.map(() => tokenRequest(sandbox, refreshFields(refresh_token))))
  assert.equal(replies.filter(({ status }) => status === 200).length, 1)
  assert.equal(sandbox.counts.reuseDetections, 1)
})

it('keeps the refresh token when rotation is off', async (test) => {
  const sandbox = await sandboxFor(test, { rotateRefreshTokens: false })
  const { refresh_token } = await connect(sandbox)
  for (const _round of [1, 2]) {
    const reply = await tokenRequest(sandbox, refreshFields(refresh_token))
    assert.equal((await tokensOf(reply)).refresh_token, refresh_token)
  }
})

it('refuses an access token from the second it expires', async (test) => {
  mock.timers.enable({ apis: ['Date'], now: Date.UTC(2030, 0, 1) })
  test.after(() => mock.timers.reset())
  const sandbox = await sandboxFor(test, { accessTokenSeconds: 30 })
  const { access_token, expires_in } = await connect(sandbox)
  assert.equal(expires_in, 30)
  mock.timers.tick(29_000)
  assert.equal((await callApi(sandbox, '/api/v1/profile', access_token)).status, 200)
  mock.timers.tick(1_000)
  const reply = await callApi(sandbox, '/api/v1/profile', access_token)
  assert.equal(reply.status, 401)
  assert.match(reply.headers.get('www-authenticate') ?? '', /^Bearer realm="sandbox", error="invalid_token"/)
})
