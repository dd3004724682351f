import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { startTestService, type TestService } from '../support/service.ts'
import { launchChromium, openProfile } from './support/chromium.ts'
import { complete, consentIn, startSession } from './support/journey.ts'
import { startPlatform, type Platform } from './support/platform.ts'

let platform: Platform
let service: TestService
let browser: Browser

before(async () => {
  platform = await startPlatform()
  service = await startTestService()
  const registered = await service.call('PUT', '/v1/admin/tenant/redirect-uris', {
    body: [{ uri: platform.landingUri, kind: 'landing' }],
  })
  assert.equal(registered.status, 200, await registered.text())
  browser = await launchChromium()
})
after(async () => {
  await browser?.close()
  await service?.[Symbol.asyncDispose]()
  await platform?.[Symbol.asyncDispose]()
})

it('sends the browser to the landing page with the completion code in the fragment', async () => {
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  const session = await startSession(service, { redirect_uri: platform.landingUri })
  await page.goto(session.authorize_url)
  const answered = page.waitForResponse(/\/callback\?/)
  await consentIn(page)
  assert.equal((await answered).status(), 303)
  await page.waitForURL((url) => url.origin === platform.origin)
  const landed = new URL(page.url())
  assert.equal(landed.pathname + landed.search, '/landing')
  const fragment = new URLSearchParams(landed.hash.slice(1))
  assert.equal(fragment.get('session_id'), session.session_id)
  assert.equal(fragment.get('status'), 'awaiting_completion')
  const code = fragment.get('completion_code') ?? ''
  assert.equal(await page.evaluate('document.referrer'), '')
  const done = await complete(service, { session_id: session.session_id, completion_code: code })
  assert.equal(done.status, 200)
  const again = await complete(service, { session_id: session.session_id, completion_code: code })
  assert.equal(again.status, 409)
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('keeps the opener, so that the landing page can speak to it', async () => {
  const profile = await openProfile(browser)
  const opener = await profile.newPage()
  await opener.goto(platform.origin)
  const session = await startSession(service, { redirect_uri: platform.landingUri })
  const opening = profile.context.waitForEvent('page')
  await opener.evaluate(`openPopup(${JSON.stringify(session.authorize_url)})`)
  const popup = await opening
  await consentIn(popup)
  await popup.waitForURL((url) => url.origin === platform.origin)
  assert.equal(await popup.evaluate('window.opener !== null'), true)
  await profile.context.close()
})
