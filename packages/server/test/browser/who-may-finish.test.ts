import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { startTestService, type TestService } from '../support/service.ts'
import { launchChromium, openProfile, type Profile } from './support/chromium.ts'
import { complete, consentIn, firstMessage, openPopup, sessionStatus, startSession } from './support/journey.ts'
import { startPlatform, type Platform } from './support/platform.ts'

/** A: the attacker, V: the victim; each with a browser of their own, on a platform on another site than the service. */
let platform: Platform
let service: TestService
let browser: Browser
let tokenOfA: string
let tokenOfV: string

before(async () => {
  platform = await startPlatform()
  service = await startTestService()
  const registered = await service.call('PUT', '/v1/admin/tenant/redirect-uris', {
    body: [{ uri: platform.landingUri, kind: 'landing' }],
  })
  assert.equal(registered.status, 200, await registered.text())
  tokenOfA = await service.token({ sub: 'attacker' })
  tokenOfV = await service.token({ sub: 'victim' })
  browser = await launchChromium()
})
after(async () => {
  await browser?.close()
  await service?.[Symbol.asyncDispose]()
  await platform?.[Symbol.asyncDispose]()
})

interface Person extends AsyncDisposable {
  readonly profile: Profile
  /** The platform's page, from which popups open. */
  readonly page: Page
}

async function person(): Promise<Person> {
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  await page.goto(platform.origin)
  return { profile, page, [Symbol.asyncDispose]: () => profile.context.close() }
}

/** Starts as the bearer of `token`. */
const startAs = (token: string) => startSession(service, { origin: platform.origin }, { token })

/** Opens the link in the person's browser, consents, and answers the completion code that this browser alone receives. */
async function openAndConsent(who: Person, url: string, login: string): Promise<string> {
  const popup = await openPopup(who.profile, who.page, url)
  await consentIn(popup, login)
  const { data } = await firstMessage(who.page)
  assert.ok(data.completion_code)
  return data.completion_code
}

/** Consents, but catches the provider's answer before the browser takes it to the service. */
async function consentAndCatch(who: Person, url: string, login: string): Promise<string> {
  const { context } = who.profile
  const caught = Promise.withResolvers<string>()
  await context.route('**/interaction/*/consent', async (route) => {
    // Redirects go past routes, so the way back is walked by hand, with the browser's cookies.
    const decided = await route.fetch({ maxRedirects: 0 })
    const resumed = await context.request.get(decided.headers()['location'] ?? '', { maxRedirects: 0 })
    await route.abort()
    caught.resolve(resumed.headers()['location'] ?? '')
  })
  await consentIn(await openPopup(who.profile, who.page, url), login)
  const callback = await caught.promise
  assert.match(callback, /\/sandbox\/callback\?.*code=/)
  return callback
}

/** Runs `attack` and answers how many token requests it cost. */
async function tokenRequestsDuring(attack: () => Promise<void>): Promise<number> {
  const earlier = service.sandbox.counts.tokenRequests
  await attack()
  return service.sandbox.counts.tokenRequests - earlier
}

describe('who may finish what', () => {
  it('connects what A started, opened, consented to and completes', async () => {
    await using a = await person()
    const requests = await tokenRequestsDuring(async () => {
      const session = await startAs(tokenOfA)
      const code = await openAndConsent(a, session.authorize_url, 'attacker')
      const done = await complete(service, { session_id: session.session_id, completion_code: code }, tokenOfA)
      assert.equal(done.status, 200)
      assert.equal(await sessionStatus(service, session.session_id, tokenOfA), 'connected')
    })
    assert.equal(requests, 1)
  })

  it('refuses V, signed in as V, who consented to what A started, and drops the code', async () => {
    await using v = await person()
    const requests = await tokenRequestsDuring(async () => {
      const session = await startAs(tokenOfA)
      const body = {
        session_id: session.session_id,
        completion_code: await openAndConsent(v, session.authorize_url, 'victim'),
      }
      const byV = await complete(service, body, tokenOfV)
      assert.deepEqual([byV.status, byV.body.code], [403, 'principal_mismatch'])
      const byA = await complete(service, body, tokenOfA)
      assert.deepEqual([byA.status, byA.body.code], [400, 'invalid_state'])
      assert.equal(await sessionStatus(service, session.session_id, tokenOfA), 'failed')
    })
    assert.equal(requests, 0)
  })

  it('lets what A started and V, without a session, consented to expire', async () => {
    await using v = await person()
    const requests = await tokenRequestsDuring(async () => {
      const session = await startAs(tokenOfA)
      await openAndConsent(v, session.authorize_url, 'victim')
      assert.equal(await sessionStatus(service, session.session_id, tokenOfA), 'awaiting_completion')
      service.clock.advance(121_000)
      // The bearer tokens live for an hour, the clock's jump included.
      assert.equal(await sessionStatus(service, session.session_id, tokenOfA), 'expired')
    })
    assert.equal(requests, 0)
  })

  it('refuses A who started it, without the code that V’s browser holds, and shows A nothing but pending', async () => {
    await using v = await person()
    const requests = await tokenRequestsDuring(async () => {
      const session = await startAs(tokenOfA)
      await openAndConsent(v, session.authorize_url, 'victim')
      const guessed = await complete(
        service,
        { session_id: session.session_id, completion_code: 'A'.repeat(43) },
        tokenOfA,
      )
      assert.deepEqual([guessed.status, guessed.body.code], [403, 'completion_code_invalid'])
      const without = await complete(service, { session_id: session.session_id, completion_code: undefined }, tokenOfA)
      assert.equal(without.status, 422)
      const reply = await service.call('GET', `/v1/connectors/oauth/sessions/${session.session_id}`, {
        token: tokenOfA,
      })
      assert.deepEqual(await reply.json(), {
        data: { status: 'awaiting_completion', error_code: null, connector_id: null },
      })
    })
    assert.equal(requests, 0)
  })

  it('refuses A who stole V’s link, consented and completes', async () => {
    await using a = await person()
    const requests = await tokenRequestsDuring(async () => {
      const session = await startAs(tokenOfV)
      const body = {
        session_id: session.session_id,
        completion_code: await openAndConsent(a, session.authorize_url, 'attacker'),
      }
      const byA = await complete(service, body, tokenOfA)
      assert.deepEqual([byA.status, byA.body.code], [403, 'principal_mismatch'])
    })
    assert.equal(requests, 0)
  })

  it('refuses A the callback of what V started, opened and consented to', async () => {
    await using a = await person()
    await using v = await person()
    const requests = await tokenRequestsDuring(async () => {
      const session = await startAs(tokenOfV)
      const callback = await consentAndCatch(v, session.authorize_url, 'victim')
      const replayed = await a.page.goto(callback)
      assert.equal(replayed?.status(), 403)
      await a.page.getByRole('alert').getByText('started in another browser').waitFor()
      const asA = await service.call('GET', callback.slice(service.url.length), { token: tokenOfA })
      assert.equal(asA.status, 403)
      assert.equal(((await asA.json()) as { code: string }).code, 'principal_mismatch')
    })
    assert.equal(requests, 0)
  })

  it('refuses V’s browser the callback of what A started, opened and consented to', async () => {
    await using a = await person()
    await using v = await person()
    const requests = await tokenRequestsDuring(async () => {
      const session = await startAs(tokenOfA)
      const callback = await consentAndCatch(a, session.authorize_url, 'attacker')
      const sent = await v.page.goto(callback)
      assert.equal(sent?.status(), 403)
      const asV = await service.call('GET', callback.slice(service.url.length), { token: tokenOfV })
      assert.equal(asV.status, 403)
      assert.equal(((await asV.json()) as { code: string }).code, 'principal_mismatch')
    })
    assert.equal(requests, 0)
  })

  it('refuses V with a bearer of another tenant', async () => {
    await using v = await person()
    const requests = await tokenRequestsDuring(async () => {
      const session = await startAs(tokenOfV)
      const body = {
        session_id: session.session_id,
        completion_code: await openAndConsent(v, session.authorize_url, 'victim'),
      }
      const elsewhere = await complete(service, body, await service.token({ sub: 'victim', tenant: 'other' }))
      assert.deepEqual([elsewhere.status, elsewhere.body.code], [403, 'principal_mismatch'])
    })
    assert.equal(requests, 0)
  })
})
