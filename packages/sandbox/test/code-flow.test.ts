import assert from 'node:assert/strict'
import { createPublicKey, verify, type JsonWebKey } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { it } from 'node:test'
import { newBrowser } from './support/browser.ts'
import {
  actionOf,
  authorizationRequest,
  callApi,
  CALLBACK,
  CLIENT_ID,
  CLIENT_SECRET,
  codeFields,
  connect,
  consent,
  jsonOf,
  newCode,
  sandboxFor,
  SCOPE,
  tokenRequest,
  tokensOf,
} from './support/flow.ts'

it('gives tokens for a user name and a consent', async (test) => {
  const sandbox = await sandboxFor(test)
  const { code, verifier, callback } = await newCode(sandbox)
  assert.equal(callback.origin + callback.pathname, CALLBACK)
  assert.equal(callback.searchParams.get('state'), 'state-1')
  assert.equal(callback.searchParams.get('iss'), sandbox.issuer)

  const reply = await tokenRequest(sandbox, codeFields(code, verifier))
  const tokens = await tokensOf(reply)
  assert.equal(reply.status, 200)
  assert.equal(tokens.expires_in, 120)
  assert.equal(tokens.scope, SCOPE)
  assert.ok(tokens.access_token && tokens.refresh_token)

  const userinfo = await jsonOf(await callApi(sandbox, '/me', tokens.access_token))
  assert.deepEqual(userinfo, {
    sub: 'user-fdee430d40bd57de',
    name: 'Ada',
    preferred_username: 'ada',
    email: 'ada@sandbox.example',
    email_verified: true,
  })
  const { authorizations, tokenRequests, codeExchanges, userinfo: calls } = sandbox.counts
  assert.deepEqual([authorizations, tokenRequests, codeExchanges, calls], [1, 1, 1, 1])
})

it('signs an ID token that its published keys verify', async (test) => {
  const sandbox = await sandboxFor(test)
  const { id_token } = await connect(sandbox, { nonce: 'nonce-1' })
  const [head = '', body = '', signature = ''] = id_token.split('.')
  const header = partOf(head)
  // Only the public members are looked at; a key of another kind makes the import throw.
  const { keys } = (await (await fetch(`${sandbox.issuer}/jwks`)).json()) as { keys: (JsonWebKey & { kid: string })[] }
  const key = keys.find(({ kid }) => kid === header['kid'])
  assert.ok(key)
  assert.deepEqual(Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
  const signed = Buffer.from(`${head}.${body}`)
  const publicKey = createPublicKey({ key, format: 'jwk' })
  assert.ok(verify('RSA-SHA256', signed, publicKey, Buffer.from(signature, 'base64url')))
  const payload = partOf(body)
  assert.deepEqual([payload['iss'], payload['aud']], [sandbox.issuer, CLIENT_ID])
  assert.equal(payload['nonce'], 'nonce-1')
  assert.equal(payload['email'], 'ada@sandbox.example')
})

function partOf(part: string): Record<string, unknown> {
  // The parts of a JWT are JSON objects; anything else throws or fails the comparison.
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>
}

it('describes itself at both discovery addresses', async (test) => {
  const sandbox = await sandboxFor(test)
  for (const name of ['openid-configuration', 'oauth-authorization-server']) {
    const metadata = await jsonOf(await fetch(`${sandbox.issuer}/.well-known/${name}`))
    assert.equal(metadata['issuer'], sandbox.issuer)
    assert.equal(metadata['token_endpoint'], `${sandbox.issuer}/token`)
    assert.equal(metadata['revocation_endpoint'], `${sandbox.issuer}/token/revocation`)
    assert.equal(metadata['authorization_response_iss_parameter_supported'], true)
    assert.deepEqual(metadata['code_challenge_methods_supported'], ['S256'])
  }
})

it('gives a refresh token for the default scopes alone', async (test) => {
  const sandbox = await sandboxFor(test)
  assert.ok((await connect(sandbox, { scope: 'openid profile email offline_access' })).refresh_token)
})

it('gives no refresh token without offline_access', async (test) => {
  const sandbox = await sandboxFor(test)
  assert.equal((await connect(sandbox, { scope: 'openid' })).refresh_token, undefined)
})

it('refuses an authorization request without PKCE', async (test) => {
  const sandbox = await sandboxFor(test)
  const request = new URL(authorizationRequest(sandbox).url)
  request.searchParams.delete('code_challenge')
  request.searchParams.delete('code_challenge_method')
  const { leftFor } = await newBrowser().open(request.href)
  assert.equal(leftFor?.searchParams.get('error'), 'invalid_request')
  assert.match(leftFor?.searchParams.get('error_description') ?? '', /PKCE/)
})

it('refuses the plain method of PKCE', async (test) => {
  const sandbox = await sandboxFor(test)
  const { leftFor } = await newBrowser().open(authorizationRequest(sandbox, { code_challenge_method: 'plain' }).url)
  assert.equal(leftFor?.searchParams.get('error'), 'invalid_request')
})

it('refuses a code with another verifier, and a code used twice', async (test) => {
  const sandbox = await sandboxFor(test)
  const first = await newCode(sandbox)
  const stolen = await tokenRequest(sandbox, codeFields(first.code, 'x'.repeat(43)))
  assert.equal((await jsonOf(stolen))['error'], 'invalid_grant')

  const second = await newCode(sandbox)
  const { access_token } = await tokensOf(await tokenRequest(sandbox, codeFields(second.code, second.verifier)))
  const again = await tokenRequest(sandbox, codeFields(second.code, second.verifier))
  assert.equal((await jsonOf(again))['error'], 'invalid_grant')
  assert.equal((await callApi(sandbox, '/api/v1/profile', access_token)).status, 401)
})

it('sends access_denied back when the user denies', async (test) => {
  const sandbox = await sandboxFor(test)
  const { leftFor } = await consent(newBrowser(), authorizationRequest(sandbox).url, { decision: 'deny' })
  assert.equal(leftFor?.searchParams.get('error'), 'access_denied')
  assert.equal(leftFor?.searchParams.get('state'), 'state-1')
  assert.equal(leftFor?.searchParams.get('iss'), sandbox.issuer)
  assert.equal(sandbox.counts.authorizations, 0)
})

it('grants only the scopes that stay ticked', async (test) => {
  const sandbox = await sandboxFor(test)
  const browser = newBrowser()
  const { url, verifier } = authorizationRequest(sandbox)
  const login = await browser.open(url)
  const page = await browser.open(actionOf(login), { login: 'ada' })
  const form = new URLSearchParams({ decision: 'allow', choose: '1' })
  form.append('scope', 'profile')
  form.append('scope', 'notes.read')
  const { leftFor } = await browser.open(actionOf(page), form)
  const tokens = await tokensOf(
    await tokenRequest(sandbox, codeFields(leftFor?.searchParams.get('code') ?? '', verifier)),
  )
  assert.equal(tokens.scope, 'openid profile offline_access notes.read')
  assert.equal((await callApi(sandbox, '/api/v1/notes', tokens.access_token, { method: 'POST' })).status, 403)
})

it('refuses redirect addresses that are not registered, without redirecting', async (test) => {
  const sandbox = await sandboxFor(test, { client: { redirectUris: ['https://app.example/callback'] } })
  const foreign = await newBrowser().open(authorizationRequest(sandbox).url)
  assert.equal(foreign.status, 400)
  assert.equal(foreign.leftFor, undefined)
  sandbox.addRedirectUri(CLIENT_ID, CALLBACK)
  assert.ok((await newCode(sandbox)).code)
  assert.throws(() => sandbox.addRedirectUri('nobody', CALLBACK), /no client nobody/)
})

it('takes only callbacks on this machine from an any-loopback client', async (test) => {
  const sandbox = await sandboxFor(test)
  for (const redirect_uri of [
    'https://app.example/callback',
    'http://localhost.app.example/callback',
    'http://localhost:3999/elsewhere',
    'http://user@localhost:3999/callback',
    'http://localhost:3999/callback#x',
  ]) {
    const visit = await newBrowser().open(authorizationRequest(sandbox, { redirect_uri }).url)
    assert.deepEqual([visit.status, visit.leftFor], [400, undefined], redirect_uri)
  }
})

it('takes a secret from the body and from the header, unless the client is pinned to one', async (test) => {
  const basic = `Basic ${Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString('base64')}`
  const exchange = async (pinned: 'client_secret_basic' | 'client_secret_post' | undefined, inHeader: string) => {
    const sandbox = await sandboxFor(test, { client: { ...(pinned && { tokenEndpointAuthMethod: pinned }) } })
    const { code, verifier } = await newCode(sandbox)
    if (inHeader === 'body') return (await tokenRequest(sandbox, codeFields(code, verifier))).status
    const body = new URLSearchParams(codeFields(code, verifier))
    return (await fetch(`${sandbox.issuer}/token`, { method: 'POST', headers: { authorization: basic }, body })).status
  }
  assert.equal(await exchange(undefined, 'header'), 200)
  assert.equal(await exchange('client_secret_basic', 'header'), 200)
  assert.equal(await exchange('client_secret_post', 'body'), 200)
  assert.equal(await exchange('client_secret_basic', 'body'), 401)
  assert.equal(await exchange('client_secret_post', 'header'), 401)
})

it('refuses a wrong secret', async (test) => {
  const sandbox = await sandboxFor(test)
  const { code, verifier } = await newCode(sandbox)
  const reply = await tokenRequest(sandbox, { ...codeFields(code, verifier), client_secret: 'wrong' })
  assert.equal(reply.status, 401)
  assert.equal((await jsonOf(reply))['error'], 'invalid_client')
})

it('serves a public client without a secret', async (test) => {
  const sandbox = await sandboxFor(test, { client: { clientSecret: undefined } })
  const { code, verifier } = await newCode(sandbox)
  const body = new URLSearchParams({ client_id: CLIENT_ID, ...codeFields(code, verifier) })
  assert.equal((await fetch(`${sandbox.issuer}/token`, { method: 'POST', body })).status, 200)
})

it('asks a user who is signed in only for consent', async (test) => {
  const sandbox = await sandboxFor(test)
  const browser = newBrowser()
  await consent(browser, authorizationRequest(sandbox).url)
  const page = await browser.open(authorizationRequest(sandbox).url)
  assert.match(page.text, /Allow/)
  assert.doesNotMatch(page.text, /name="login"/)
})

it('asks for the user name again with prompt=login, and takes another one', async (test) => {
  const sandbox = await sandboxFor(test)
  const browser = newBrowser()
  await consent(browser, authorizationRequest(sandbox).url, { login: 'ada' })
  const { url, verifier } = authorizationRequest(sandbox, { prompt: 'login' })
  assert.match((await browser.open(url)).text, /name="login"/)
  const { leftFor } = await consent(browser, url, { login: 'grace' })
  const code = leftFor?.searchParams.get('code') ?? ''
  const { access_token } = await tokensOf(await tokenRequest(sandbox, codeFields(code, verifier)))
  assert.equal((await jsonOf(await callApi(sandbox, '/api/v1/profile', access_token)))['username'], 'grace')
})

it('switches to another account from the consent page', async (test) => {
  const sandbox = await sandboxFor(test)
  const browser = newBrowser()
  await consent(browser, authorizationRequest(sandbox).url, { login: 'ada' })
  const { url, verifier } = authorizationRequest(sandbox)
  const page = await browser.open(url)
  const [, href] = /href="([^"]+\?switch=1)"/.exec(page.text) ?? []
  assert.ok(href)
  const login = await browser.open(new URL(href, page.url).href)
  const asGrace = await browser.open(actionOf(login), { login: 'Grace Hopper' })
  assert.match(asGrace.text, /Grace Hopper/)
  const { leftFor } = await browser.open(actionOf(asGrace), { decision: 'allow' })
  const code = leftFor?.searchParams.get('code') ?? ''
  const { access_token } = await tokensOf(await tokenRequest(sandbox, codeFields(code, verifier)))
  assert.equal((await jsonOf(await callApi(sandbox, '/me', access_token)))['name'], 'Grace Hopper')
})

it('answers login_required to prompt=none without a session', async (test) => {
  const sandbox = await sandboxFor(test)
  const { leftFor } = await newBrowser().open(authorizationRequest(sandbox, { prompt: 'none' }).url)
  assert.equal(leftFor?.searchParams.get('error'), 'login_required')
})

it('keeps the subject of a user name, and tells names apart', async (test) => {
  const subjects: unknown[] = []
  for (const login of ['ada', ' ADA ', 'grace']) {
    const sandbox = await sandboxFor(test)
    const { url, verifier } = authorizationRequest(sandbox)
    const { leftFor } = await consent(newBrowser(), url, { login })
    const code = leftFor?.searchParams.get('code') ?? ''
    const { access_token } = await tokensOf(await tokenRequest(sandbox, codeFields(code, verifier)))
    subjects.push((await jsonOf(await callApi(sandbox, '/me', access_token)))['sub'])
  }
  assert.equal(subjects[0], subjects[1])
  assert.notEqual(subjects[0], subjects[2])
})

it('listens on localhost in every loopback family the machine has', async (test) => {
  const sandbox = await sandboxFor(test)
  const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))
  for (const host of ['127.0.0.1', 'localhost', ...(hasIpv6 ? ['[::1]'] : [])]) {
    const reply = await fetch(`http://${host}:${sandbox.port}/.well-known/openid-configuration`)
    assert.equal(reply.status, 200, host)
  }
})
