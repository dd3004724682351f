import assert from 'node:assert/strict'
import { it } from 'node:test'
import { callApi, connect, jsonOf, sandboxFor } from './support/flow.ts'

it('shows the profile of the user behind the token', async (test) => {
  const sandbox = await sandboxFor(test)
  const { access_token } = await connect(sandbox)
  assert.deepEqual(await jsonOf(await callApi(sandbox, '/api/v1/profile', access_token)), {
    id: 'user-fdee430d40bd57de',
    name: 'Ada',
    email: 'ada@sandbox.example',
    username: 'ada',
  })
})

it('gives all notes once, page by page', async (test) => {
  const sandbox = await sandboxFor(test)
  const { access_token } = await connect(sandbox)
  const ids: unknown[] = []
  let cursor = ''
  do {
    const reply = await jsonOf(await callApi(sandbox, `/api/v1/notes?limit=2${cursor}`, access_token))
    // The API's own shape, asserted on below.
    const { notes, next_cursor: next } = reply as { notes: { id: string }[]; next_cursor: string | null }
    assert.ok(notes.length > 0 && notes.length <= 2)
    ids.push(...notes.map(({ id }) => id))
    cursor = next === null ? '' : `&cursor=${next}`
  } while (cursor !== '')
  assert.deepEqual(ids, ['note-1', 'note-2', 'note-3', 'note-4', 'note-5'])
})

it('adds notes for one user alone', async (test) => {
  const sandbox = await sandboxFor(test)
  const { access_token } = await connect(sandbox)
  const body = JSON.stringify({ title: 'New', text: 'Text' })
  const added = await callApi(sandbox, '/api/v1/notes', access_token, { method: 'POST', body })
  assert.equal(added.status, 201)
  assert.equal((await jsonOf(added))['title'], 'New')
  const list = await jsonOf(await callApi(sandbox, '/api/v1/notes', access_token))
  assert.ok(Array.isArray(list['notes']) && list['notes'].length === 6)
})

it('refuses what is no note, limit or cursor', async (test) => {
  const sandbox = await sandboxFor(test)
  const { access_token } = await connect(sandbox)
  for (const body of ['{', '{}', '[]', '{"title":1}']) {
    assert.equal((await callApi(sandbox, '/api/v1/notes', access_token, { method: 'POST', body })).status, 400, body)
  }
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'cursor=x']) {
    assert.equal((await callApi(sandbox, `/api/v1/notes?${query}`, access_token)).status, 400, query)
  }
  assert.equal((await callApi(sandbox, '/api/v1/nothing', access_token)).status, 404)
})

it('refuses more than an account or a request may hold', async (test) => {
  const sandbox = await sandboxFor(test)
  const { access_token } = await connect(sandbox)
  const add = async (title: string) =>
    (await callApi(sandbox, '/api/v1/notes', access_token, { method: 'POST', body: JSON.stringify({ title }) })).status
  assert.equal(await add('x'.repeat(60_000)), 413)
  for (let count = 5; count < 1000; count += 1) await add('x')
  assert.equal(await add('x'), 409)
})

it('takes the access away from one grant when its user asks for it, and from no other', async (test) => {
  const sandbox = await sandboxFor(test)
  const { access_token: ended } = await connect(sandbox)
  const { access_token: other } = await connect(sandbox)
  assert.equal((await callApi(sandbox, '/api/v1/access', ended, { method: 'DELETE' })).status, 204)
  assert.equal((await callApi(sandbox, '/api/v1/profile', ended)).status, 401)
  assert.equal((await callApi(sandbox, '/api/v1/profile', other)).status, 200)
})

it('challenges a call without a token, and one with a token it does not know', async (test) => {
  const sandbox = await sandboxFor(test)
  const bare = await fetch(`${sandbox.issuer}/api/v1/notes`)
  assert.equal(bare.status, 401)
  assert.equal(bare.headers.get('www-authenticate'), 'Bearer realm="sandbox"')
  const unknown = await callApi(sandbox, '/api/v1/notes', 'unknown')
  assert.equal(unknown.status, 401)
  assert.match(unknown.headers.get('www-authenticate') ?? '', /error="invalid_token"/)
  assert.equal(sandbox.counts.apiCalls, 2)
})

it('names the scope that a token lacks', async (test) => {
  const sandbox = await sandboxFor(test)
  const { access_token } = await connect(sandbox, { scope: 'openid notes.read' })
  assert.equal((await callApi(sandbox, '/api/v1/notes', access_token)).status, 200)
  const refused = await callApi(sandbox, '/api/v1/notes', access_token, { method: 'POST', body: '{"title":"x"}' })
  assert.equal(refused.status, 403)
  const challenge = refused.headers.get('www-authenticate') ?? ''
  assert.match(challenge, /error="insufficient_scope"/)
  assert.match(challenge, /scope="notes.write"/)
})
