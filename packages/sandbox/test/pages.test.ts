import assert from 'node:assert/strict'
import { it } from 'node:test'
import { html } from '../src/html.ts'
import type { Sandbox } from '../src/sandbox.ts'
import { newBrowser, type Visit } from './support/browser.ts'
import { actionOf, authorizationRequest, sandboxFor } from './support/flow.ts'

async function loginAndConsent(sandbox: Sandbox, parameters: Readonly<Record<string, string>> = {}) {
  const browser = newBrowser()
  const login = await browser.open(authorizationRequest(sandbox, parameters).url)
  const consent = await browser.open(actionOf(login), { login: 'ada' })
  return { browser, login, consent }
}

function assertSelfContained(page: Visit): void {
  const policy = page.headers.get('content-security-policy') ?? ''
  assert.match(
    policy,
    /^default-src 'none'; img-src data:; style-src 'sha256-[A-Za-z0-9+/]+=*'; base-uri 'none'; frame-ancestors 'none'$/,
  )
  assert.equal(page.headers.get('x-frame-options'), 'DENY')
  assert.equal(page.headers.get('cache-control'), 'no-store')
  assert.doesNotMatch(page.text, /<script|<img|<iframe|@import|url\(|\son[a-z]+=|style="/i)
  const addresses = [...page.text.matchAll(/(?:href|src|action)="([^"]*)"/g)].map(([, address = '']) => address)
  assert.ok(addresses.length > 0)
  for (const address of addresses) assert.match(address, /^\/|^data:,$/)
  assert.match(page.text, /Sandbox provider — nothing real happens here/)
  assert.match(page.text, /<html lang="en">/)
}

it('shows pages that load nothing and allow no script', async (test) => {
  const sandbox = await sandboxFor(test)
  const { browser, login, consent } = await loginAndConsent(sandbox)
  const home = await browser.open(sandbox.issuer)
  const expired = await newBrowser().open(actionOf(consent))
  const failed = await browser.open(`${sandbox.issuer}/auth?client_id=nobody`)
  for (const page of [login, consent, home, expired, failed]) assertSelfContained(page)
  assert.deepEqual(
    [login.status, consent.status, home.status, expired.status, failed.status],
    [200, 200, 200, 400, 400],
  )
})

it('labels its one field and its buttons', async (test) => {
  const { login, consent } = await loginAndConsent(await sandboxFor(test))
  assert.match(login.text, /<label for="login">User name<\/label>/)
  assert.match(login.text, /<input\s+id="login"\s+name="login"\s+type="text"/)
  assert.match(login.text, /<button type="submit">Sign in<\/button>/)
  assert.match(consent.text, /name="decision" value="allow">Allow</)
  assert.match(consent.text, /name="decision" value="deny" class="quiet">Deny</)
})

it('says who asks, for what, and where it leads', async (test) => {
  const { consent } = await loginAndConsent(await sandboxFor(test), { scope: 'openid notes.read' })
  assert.match(consent.text, /Acme Search asks for access/)
  assert.match(consent.text, /localhost:3999/)
  assert.match(consent.text, /Read your notes/)
  assert.doesNotMatch(consent.text, /Add notes/)
})

it('fills in the login hint, escaped', async (test) => {
  const sandbox = await sandboxFor(test)
  const page = await newBrowser().open(authorizationRequest(sandbox, { login_hint: 'a"><b>' }).url)
  assert.match(page.text, /value="a&quot;&gt;&lt;b&gt;"/)
})

it('says what a user name may be when it takes none', async (test) => {
  const sandbox = await sandboxFor(test)
  const browser = newBrowser()
  const login = await browser.open(authorizationRequest(sandbox).url)
  for (const name of ['', '  ', '<script>', 'x'.repeat(65)]) {
    const page = await browser.open(actionOf(login), { login: name })
    assert.equal(page.status, 400)
    assert.match(page.text, /aria-invalid="true" aria-describedby="problem hint"/)
  }
  assert.equal((await browser.open(actionOf(login), { login: 'Zoë Ó Brádaigh' })).status, 200)
})

it('keeps a step to the browser that began it', async (test) => {
  const sandbox = await sandboxFor(test)
  const { consent } = await loginAndConsent(sandbox)
  const stranger = newBrowser()
  const own = await stranger.open(authorizationRequest(sandbox).url)
  assert.notEqual(actionOf(own), actionOf(consent))
  assert.equal((await stranger.open(actionOf(consent), { decision: 'allow' })).status, 400)
  assert.equal(sandbox.counts.authorizations, 0)
})

it('decides nothing without a decision', async (test) => {
  const sandbox = await sandboxFor(test)
  const { browser, consent } = await loginAndConsent(sandbox)
  assert.equal((await browser.open(actionOf(consent), {})).status, 400)
  assert.equal(sandbox.counts.authorizations, 0)
})

it('escapes whatever is put into a page', () => {
  assert.equal(
    html`<p title="${'"&\''}">${'<b>'}${html`<i>`}${undefined}</p>`.markup,
    '<p title="&quot;&amp;&#39;">&lt;b&gt;<i></p>',
  )
})
