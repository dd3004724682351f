import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { freePort, startTestService, type TestService } from '../support/service.ts'
import { launchChromium, openProfile } from './support/chromium.ts'
import { addSandboxProvider } from './support/custom-provider.ts'
import { consentIn, firstMessage, openPopup, startSession } from './support/journey.ts'
import { startPlatform, type Platform } from './support/platform.ts'

const client = { clientId: 'poster', clientSecret: 'poster-secret', redirectUris: 'any-loopback-callback' } as const

/** Serves the service, too: on another site than the provider, whose post then carries no `Lax` cookie. */
let platform: Platform
let landing: Platform
let service: TestService
let browser: Browser
let slug: string

before(async () => {
  platform = await startPlatform()
  landing = await startPlatform()
  const port = await freePort()
  service = await startTestService({
    env: {
      PUBLIC_URL: `${platform.origin}/api-proxy`,
      ALLOWED_REDIRECT_URIS: landing.landingUri,
      ALLOWED_PRIVATE_HOSTS: `localhost:${port}`,
    },
    sandbox: { port, clients: [client], quirk: 'form-post' },
  })
  platform.proxyTo(service.url)
  slug = await addSandboxProvider(service, client, { extra_authorize_params: { response_mode: 'form_post' } })
  browser = await launchChromium()
})
after(async () => {
  await browser?.close()
  await service?.[Symbol.asyncDispose]()
  await platform?.[Symbol.asyncDispose]()
  await landing?.[Symbol.asyncDispose]()
})

it('finishes what a provider answers by form post, in the browser that began it', async () => {
  const profile = await openProfile(browser)
  const opener = await profile.newPage()
  await opener.goto(platform.origin)
  const session = await startSession(service, { origin: platform.origin }, { slug })
  const popup = await openPopup(profile, opener, session.authorize_url)
  await consentIn(popup)
  const { data } = await firstMessage(opener)
  const reply = await service.call('POST', `/v1/connectors/oauth/${slug}/complete`, {
    body: { session_id: session.session_id, completion_code: data.completion_code },
  })
  assert.equal(reply.status, 200, await reply.text())
  assert.ok(profile.requests.every((address) => !address.includes('?code=') && !address.includes('&code=')))
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('reaches a landing page on another origin', async () => {
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  const session = await startSession(service, { redirect_uri: landing.landingUri }, { slug })
  await page.goto(session.authorize_url)
  await consentIn(page)
  await page.waitForURL((url) => url.origin === landing.origin)
  assert.match(new URL(page.url()).hash, /completion_code=/)
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('refuses the same post in another browser', async () => {
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  const session = await startSession(service, { redirect_uri: landing.landingUri }, { slug })
  await page.goto(session.authorize_url)
  // The binding goes between the provider's page and its answer.
  await page.getByLabel('User name').waitFor()
  await profile.context.clearCookies({ name: /^__Host-co_/ })
  await consentIn(page)
  await page.getByRole('alert').getByText('started in another browser').waitFor()
  await profile.context.close()
})
