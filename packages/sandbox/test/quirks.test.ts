import assert from 'node:assert/strict'
import { it } from 'node:test'
import { QUIRKS, REALM_ID, type QuirkMode } from '../src/quirks.ts'
import type { Sandbox } from '../src/sandbox.ts'
import { newBrowser } from './support/browser.ts'
import {
  authorizationRequest,
  callApi,
  CLIENT_ID,
  CLIENT_SECRET,
  codeFields,
  consent,
  jsonOf,
  newCode,
  refreshFields,
  sandboxFor,
  SCOPE,
  tokenRequest,
} from './support/flow.ts'

type Fields = Readonly<Record<string, unknown>>
type Checks = (sandbox: Sandbox) => Promise<void>

async function exchange(sandbox: Sandbox): Promise<Fields> {
  const { code, verifier } = await newCode(sandbox)
  return jsonOf(await tokenRequest(sandbox, codeFields(code, verifier)))
}

/** The refusal of a code and of a refresh token that nobody issued: status and body of each. */
async function refusals(sandbox: Sandbox): Promise<readonly (readonly [number, Fields])[]> {
  const replies = [
    await tokenRequest(sandbox, codeFields('unknown', 'x'.repeat(43))),
    await tokenRequest(sandbox, refreshFields('unknown')),
  ]
  return Promise.all(replies.map(async (reply) => [reply.status, await jsonOf(reply)] as const))
}

async function assertWorks(sandbox: Sandbox, accessToken: unknown): Promise<void> {
  assert.equal((await callApi(sandbox, '/api/v1/profile', String(accessToken))).status, 200)
}

const basic = `Basic ${Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString('base64')}`

/** What each mode must show; a mode without an entry does not compile. */
const CHECKS: { readonly [mode in QuirkMode]: Checks } = {
  'form-reply': async (sandbox) => {
    const { code, verifier } = await newCode(sandbox)
    const reply = await tokenRequest(sandbox, codeFields(code, verifier), { accept: '*/*' })
    assert.match(reply.headers.get('content-type') ?? '', /^application\/x-www-form-urlencoded/)
    const fields = new URLSearchParams(await reply.text())
    await assertWorks(sandbox, fields.get('access_token'))
    const refreshed = await tokenRequest(sandbox, refreshFields(fields.get('refresh_token') ?? ''))
    await assertWorks(sandbox, (await jsonOf(refreshed))['access_token'])
  },
  'ok-false': async (sandbox) => {
    const { code, verifier } = await newCode(sandbox, { scope: '', user_scope: SCOPE.replaceAll(' ', ',') })
    const reply = await jsonOf(await tokenRequest(sandbox, codeFields(code, verifier)))
    assert.equal(reply['ok'], true)
    assert.equal(reply['access_token'], undefined)
    const user = new Map(Object.entries(reply['authed_user'] ?? {}))
    assert.equal(user.get('scope'), SCOPE.replaceAll(' ', ','))
    await assertWorks(sandbox, user.get('access_token'))
    assert.deepEqual(await refusals(sandbox), [
      [200, { ok: false, error: 'invalid_code' }],
      [200, { ok: false, error: 'invalid_refresh_token' }],
    ])
  },
  nested: async (sandbox) => {
    const reply = await exchange(sandbox)
    assert.equal(reply['access_token'], undefined)
    await assertWorks(sandbox, new Map(Object.entries(reply['data'] ?? {})).get('access_token'))
  },
  'json-request': async (sandbox) => {
    const { code, verifier } = await newCode(sandbox)
    const send = (headers: Readonly<Record<string, string>>, body: string | URLSearchParams) =>
      fetch(`${sandbox.issuer}/token`, { method: 'POST', headers, body })
    const fields = codeFields(code, verifier)
    const json = { 'content-type': 'application/json' }
    const secretInBody = { ...fields, client_id: CLIENT_ID, client_secret: CLIENT_SECRET }
    assert.equal((await send({ authorization: basic }, new URLSearchParams(fields))).status, 400)
    assert.equal((await send(json, JSON.stringify(secretInBody))).status, 401)
    assert.equal((await send({ ...json, authorization: basic }, '{')).status, 400)
    const reply = await jsonOf(await send({ ...json, authorization: basic }, JSON.stringify(fields)))
    assert.equal(reply['workspace_id'], 'workspace-1')
    await assertWorks(sandbox, reply['access_token'])
  },
  'string-expires': async (sandbox) => assert.equal((await exchange(sandbox))['expires_in'], '120'),
  'no-expires': async (sandbox) => assert.equal('expires_in' in (await exchange(sandbox)), false),
  'zero-expires': async (sandbox) => assert.equal((await exchange(sandbox))['expires_in'], 0),
  'absolute-expiry': async (sandbox) => {
    const reply = await exchange(sandbox)
    assert.equal('expires_in' in reply, false)
    assert.match(String(reply['expires_at']), /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/)
    const remainingMs = Date.parse(String(reply['expires_at'])) - Date.now()
    assert.ok(remainingMs > 100_000 && remainingMs <= 120_000)
  },
  'comma-scopes': async (sandbox) => {
    const { code, verifier } = await newCode(sandbox, { scope: 'openid,notes.read' })
    const reply = await jsonOf(await tokenRequest(sandbox, codeFields(code, verifier)))
    assert.equal(reply['scope'], 'openid,notes.read')
  },
  'renamed-fields': async (sandbox) => {
    const reply = await exchange(sandbox)
    assert.equal('access_token' in reply, false)
    assert.equal(reply['expiresIn'], 120)
    assert.equal(typeof reply['refreshToken'], 'string')
    await assertWorks(sandbox, reply['accessToken'])
  },
  'no-refresh-token-on-refresh': async (sandbox) => {
    const refreshToken = String((await exchange(sandbox))['refresh_token'])
    for (const _round of [1, 2]) {
      const reply = await jsonOf(await tokenRequest(sandbox, refreshFields(refreshToken)))
      assert.equal('refresh_token' in reply, false)
      await assertWorks(sandbox, reply['access_token'])
    }
  },
  'extra-callback': async (sandbox) => {
    const { callback } = await newCode(sandbox)
    assert.equal(callback.searchParams.get('realmId'), REALM_ID)
  },
  'code-renamed': async (sandbox) => {
    const { code, verifier, callback } = await newCode(sandbox)
    assert.equal(callback.searchParams.get('code'), null)
    assert.equal(callback.searchParams.get('auth_code'), code)
    const { code: _standard, ...fields } = codeFields(code, verifier)
    const reply = await jsonOf(await tokenRequest(sandbox, { ...fields, auth_code: code }))
    await assertWorks(sandbox, reply['access_token'])
  },
  'error-200': async (sandbox) => {
    const [[codeStatus, codeBody] = [], [refreshStatus, refreshBody] = []] = await refusals(sandbox)
    assert.deepEqual([codeStatus, codeBody?.['error']], [200, 'bad_verification_code'])
    assert.deepEqual([refreshStatus, refreshBody?.['error']], [200, 'bad_refresh_token'])
  },
  'form-post': async (sandbox) => {
    const { url, verifier } = authorizationRequest(sandbox)
    const page = await consent(newBrowser(), url)
    assert.equal(page.leftFor, undefined)
    assert.match(page.headers.get('content-security-policy') ?? '', /script-src 'sha256-[^']+'/)
    const [, code = ''] = /name="code" value="([^"]+)"/.exec(page.text) ?? []
    assert.match(page.text, /name="state" value="state-1"/)
    assert.equal((await tokenRequest(sandbox, codeFields(code, verifier))).status, 200)
  },
  'get-token': async (sandbox) => {
    const { code, verifier } = await newCode(sandbox)
    assert.equal((await tokenRequest(sandbox, codeFields(code, verifier))).status, 400)
    const url = new URL('/token', sandbox.issuer)
    url.search = new URLSearchParams({
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      ...codeFields(code, verifier),
    }).toString()
    await assertWorks(sandbox, (await jsonOf(await fetch(url)))['access_token'])
  },
  'camel-error': async (sandbox) => {
    for (const [status, body] of await refusals(sandbox)) {
      assert.equal(status, 400)
      assert.deepEqual(body, { errorCode: 'invalidGrant', errorDescription: 'grant request is invalid' })
    }
  },
}

for (const [mode, check] of Object.entries(CHECKS)) {
  it(`shows the quirk ${mode}`, async (test) => {
    // `CHECKS` has exactly the modes as keys; `Object.entries` only knows of strings.
    const quirk = mode as QuirkMode
    await check(await sandboxFor(test, { quirk }))
  })

  it(`shows no ${mode} unless asked`, async (test) => {
    await assert.rejects(check(await sandboxFor(test)), assert.AssertionError)
  })
}

it('lets a client have a quirk of its own', async (test) => {
  const sandbox = await sandboxFor(test, { quirk: 'nested', client: { quirk: 'string-expires' } })
  assert.equal((await exchange(sandbox))['expires_in'], '120')
})

it('has a check for every mode', () => {
  assert.deepEqual(Object.keys(CHECKS).sort(), Object.keys(QUIRKS).sort())
})
