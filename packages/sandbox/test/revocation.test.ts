import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  callApi,
  CLIENT_ID,
  CLIENT_SECRET,
  clientPost,
  connect,
  jsonOf,
  refreshFields,
  sandboxFor,
  tokenRequest,
} from './support/flow.ts'

it('says active of a live token and inactive after it was revoked', async (test) => {
  const sandbox = await sandboxFor(test)
  const { access_token, refresh_token } = await connect(sandbox)
  const introspect = async (token: string) =>
    (await jsonOf(await clientPost(sandbox, '/token/introspection', { token })))['active']
  assert.deepEqual([await introspect(access_token), await introspect(refresh_token)], [true, true])

  const revoked = await clientPost(sandbox, '/token/revocation', { token: refresh_token })
  assert.equal(revoked.status, 200)
  assert.deepEqual([await introspect(access_token), await introspect(refresh_token)], [false, false])
  assert.equal((await callApi(sandbox, '/api/v1/profile', access_token)).status, 401)
  assert.equal(sandbox.counts.revocations, 1)
})

it('answers 200 to the revocation of an unknown token', async (test) => {
  const sandbox = await sandboxFor(test)
  assert.equal((await clientPost(sandbox, '/token/revocation', { token: 'unknown' })).status, 200)
})

it('does not revoke for a client that cannot prove itself', async (test) => {
  const sandbox = await sandboxFor(test)
  const { access_token, refresh_token } = await connect(sandbox)
  const reply = await clientPost(sandbox, '/token/revocation', { token: refresh_token, client_secret: 'wrong' })
  assert.equal(reply.status, 401)
  assert.equal((await callApi(sandbox, '/api/v1/profile', access_token)).status, 200)
  assert.equal(sandbox.counts.revocations, 0)
})

it("does not revoke another client's token", async (test) => {
  const redirectUris = 'any-loopback-callback'
  const sandbox = await sandboxFor(test, {
    clients: [
      { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, redirectUris },
      { clientId: 'other', clientSecret: 'other-secret', redirectUris },
    ],
  })
  const { access_token } = await connect(sandbox)
  const other = { client_id: 'other', client_secret: 'other-secret', token: access_token }
  await clientPost(sandbox, '/token/revocation', other)
  assert.equal((await callApi(sandbox, '/api/v1/profile', access_token)).status, 200)
})

it('forgets every grant when told that the users removed the app', async (test) => {
  const sandbox = await sandboxFor(test)
  const { access_token, refresh_token } = await connect(sandbox)
  sandbox.revokeEverything()
  assert.equal((await callApi(sandbox, '/api/v1/profile', access_token)).status, 401)
  const reply = await tokenRequest(sandbox, refreshFields(refresh_token))
  assert.equal((await jsonOf(reply))['error'], 'invalid_grant')
  assert.ok((await connect(sandbox)).refresh_token)
})
