import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { startTestService, type TestService } from '../support/service.ts'
import { launchChromium, openProfile } from './support/chromium.ts'
import { complete, consentIn, firstMessage, messagesOf, openPopup, startSession } from './support/journey.ts'
import { startPlatform, type Platform } from './support/platform.ts'

let platform: Platform
let stranger: Platform
let service: TestService
let browser: Browser

before(async () => {
  platform = await startPlatform()
  stranger = await startPlatform()
  service = await startTestService({ env: { ALLOWED_ORIGINS: platform.origin } })
  browser = await launchChromium()
})
after(async () => {
  await browser?.close()
  await service?.[Symbol.asyncDispose]()
  await platform?.[Symbol.asyncDispose]()
  await stranger?.[Symbol.asyncDispose]()
})

it('tells the opener on the exact origin, closes itself, and asks nobody else for anything', async () => {
  const profile = await openProfile(browser)
  const opener = await profile.newPage()
  await opener.goto(platform.origin)
  const session = await startSession(service, { origin: platform.origin })
  const popup = await openPopup(profile, opener, session.authorize_url)
  const closed = popup.waitForEvent('close')
  await consentIn(popup)
  const { origin, data } = await firstMessage(opener)
  assert.equal(origin, service.url)
  assert.deepEqual(
    { ...data, completion_code: typeof data.completion_code },
    {
      source: 'connector-oauth',
      session_id: session.session_id,
      status: 'awaiting_completion',
      completion_code: 'string',
    },
  )
  await closed
  const done = await complete(service, { session_id: session.session_id, completion_code: data.completion_code })
  assert.equal(done.status, 200)
  assert.deepEqual(
    profile.hosts(),
    [platform.origin, service.url, service.sandbox.issuer].map((url) => new URL(url).host).toSorted(),
  )
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('says nothing to an opener on another origin', async () => {
  const profile = await openProfile(browser)
  const opener = await profile.newPage()
  await opener.goto(stranger.origin)
  const session = await startSession(service, { origin: platform.origin })
  const popup = await openPopup(profile, opener, session.authorize_url)
  await consentIn(popup)
  await popup.waitForURL(/\/finished\//)
  // The closing page closes itself only after it has spoken.
  await popup.waitForEvent('close')
  assert.deepEqual(await messagesOf(opener), [])
  await profile.context.close()
})

it('wipes the completion code from its address', async () => {
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  const session = await startSession(service, { origin: platform.origin })
  await page.goto(session.authorize_url)
  await consentIn(page)
  await page.waitForURL(/\/finished\//)
  await page.getByRole('heading', { name: 'Almost connected' }).waitFor()
  assert.equal(page.url(), `${service.url}/v1/connectors/oauth/finished/${session.session_id}`)
  assert.ok(profile.requests.every((address) => !address.includes('completion_code') || address.includes('#')))
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('stays out of frames, and so does every page of the flow', async () => {
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  const { session_id: id } = await startSession(service, { origin: platform.origin })
  const paths = [
    '/',
    '/docs',
    `/v1/connectors/oauth/finished/${id}`,
    '/v1/connectors/oauth/sandbox/callback?state=x&code=y',
  ]
  for (const path of paths) {
    const refused = profile.context.waitForEvent('console', (message) =>
      message.text().includes("frame-ancestors 'none'"),
    )
    await page.goto(`${stranger.origin}/frame?of=${encodeURIComponent(service.url + path)}`)
    await refused
  }
  await profile.context.close()
})

it('tells of a refusal, says in plain words what to do, and stays until it is closed', async () => {
  const profile = await openProfile(browser)
  const opener = await profile.newPage()
  await opener.goto(platform.origin)
  const session = await startSession(service, { origin: platform.origin })
  const popup = await openPopup(profile, opener, session.authorize_url)
  await popup.clock.install()
  await consentIn(popup, 'ada', 'Deny')
  const { data } = await firstMessage(opener)
  assert.deepEqual(data, { source: 'connector-oauth', session_id: session.session_id, status: 'failed' })
  await popup.getByRole('alert').getByText('Access was not allowed, so nothing was stored.').waitFor()
  assert.equal(new URL(popup.url()).search, '')
  await popup.getByText('Details', { exact: true }).click()
  await popup.getByText('access_denied', { exact: true }).waitFor()
  // Whoever reads slowly is not cut off.
  await popup.clock.runFor(60_000)
  assert.equal(popup.isClosed(), false)
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('closes at the press of its button, and says so when the browser does not let it', async () => {
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  // Two pages of history: a browser closes only windows that a script opened or that went nowhere yet.
  await page.goto(platform.origin)
  await page.goto(`${service.url}/v1/connectors/oauth/sandbox/callback?state=unknown&code=none`, {})
  await page.getByRole('button', { name: 'Close this window' }).click()
  await page.getByText('The browser keeps this window open').waitFor()
  await profile.context.close()
})
