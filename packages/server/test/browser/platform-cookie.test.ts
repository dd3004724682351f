import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import { readWithinMs } from '../../src/http/pages/outcome-page.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { launchChromium, openProfile, type Profile } from './support/chromium.ts'
import { consentIn, firstMessage, messagesOf, openPopup } from './support/journey.ts'
import { startPlatform, type Platform } from './support/platform.ts'

/** A platform that serves the service under its own origin, and whose session cookie holds the bearer token. */
let platform: Platform
let stranger: Platform
let service: TestService
let browser: Browser

before(async () => {
  platform = await startPlatform()
  stranger = await startPlatform()
  service = await startTestService({
    env: { PUBLIC_URL: `${platform.origin}/api-proxy`, AUTH_COOKIE: 'platform_session' },
  })
  platform.proxyTo(service.url)
  platform.signIn('platform_session', await service.token())
  browser = await launchChromium()
})
after(async () => {
  await browser?.close()
  await service?.[Symbol.asyncDispose]()
  await platform?.[Symbol.asyncDispose]()
  await stranger?.[Symbol.asyncDispose]()
})

const query = `collection_id=${collectionId}&space_id=${spaceId}`
const authorizeUrl = () => `${platform.origin}/api-proxy/v1/connectors/oauth/sandbox/authorize?${query}`

async function signedIn(): Promise<{ profile: Profile; page: Page }> {
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  await page.goto(`${platform.origin}/sign-in`)
  return { profile, page }
}

it('connects right at the callback, as the workflow of the platform has it', async () => {
  const { profile, page } = await signedIn()
  const popup = await openPopup(profile, page, authorizeUrl())
  const closed = popup.waitForEvent('close')
  const answered = popup.waitForResponse(/\/callback\?/)
  const earlier = service.sandbox.counts.tokenRequests
  await consentIn(popup)
  const answer = await answered
  assert.equal(answer.status(), 200)
  assert.equal(new URL(answer.url()).pathname, '/api-proxy/v1/connectors/oauth/sandbox/callback')
  const { origin, data } = await firstMessage(page)
  assert.equal(origin, platform.origin)
  assert.equal(data.status, 'connected')
  assert.equal(service.sandbox.counts.tokenRequests - earlier, 1)
  await closed
  const list = await service.call('GET', `/v1/spaces/${spaceId}/collections/${collectionId}/connectors`)
  assert.equal(((await list.json()) as { data: unknown[] }).data.length, 1)
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('says what is missing where less was allowed than was asked for, and stays to be read', async () => {
  const { profile, page } = await signedIn()
  for (const [language, title, missing, advice] of [
    ['en', 'Sandbox is connected, with less access', 'See your e-mail address', 'You can close this window'],
    ['de-AT', 'Sandbox ist verbunden, mit weniger Zugriff', 'Ihre E-Mail-Adresse', 'Sie können dieses Fenster'],
  ] as const) {
    await profile.context.setExtraHTTPHeaders({ 'accept-language': language })
    const popup = await openPopup(profile, page, authorizeUrl())
    await consentIn(popup, 'ada', 'Allow', ['email'])
    await popup.getByRole('heading', { name: title }).waitFor()
    await page.waitForFunction('messages.length > 0')
    assert.equal((await messagesOf(page)).at(-1)?.data.status, 'connected')
    // Longer than the page stays when nothing is missing.
    await sleep(readWithinMs + 1_000)
    assert.deepEqual(await popup.getByRole('listitem').allTextContents(), [missing])
    await popup.getByText(advice).waitFor()
    await Promise.all([popup.waitForEvent('close'), popup.getByRole('button').click()])
    await profile.context.clearCookies({ name: /^(?!platform_session)/ })
  }
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('leaves neither code nor state in the address', async () => {
  const { profile, page } = await signedIn()
  await page.goto(authorizeUrl())
  await consentIn(page)
  await page.getByRole('heading', { name: 'Account connected' }).waitFor()
  assert.equal(new URL(page.url()).search, '')
  await profile.context.close()
})

it('does not start from another site’s click, though the cookie comes along', async () => {
  const { profile, page } = await signedIn()
  await page.goto(stranger.origin.replace('127.0.0.1', 'localhost'))
  const popup = await openPopup(profile, page, authorizeUrl())
  await popup.getByText('This page has to open in a window of its own').waitFor()
  await profile.context.close()
})

it('says in plain words that nobody is signed in', async () => {
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  const reply = await page.goto(authorizeUrl())
  assert.equal(reply?.status(), 401)
  await page.getByRole('heading', { name: 'Please sign in again' }).waitFor()
  assert.deepEqual(await profile.context.cookies(), [])
  await profile.context.close()
})
