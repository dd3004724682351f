import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchChromium, openProfile, type Profile } from '../../server/test/browser/support/chromium.ts'
import { consentIn } from '../../server/test/browser/support/journey.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../../server/test/support/service.ts'
import { startApp, type App } from './app.ts'

let app: App
let service: TestService
let browser: Browser

before(async () => {
  app = await startApp()
  service = await startTestService()
  const registered = await service.call('PUT', '/v1/admin/tenant/redirect-uris', {
    body: [{ uri: app.landingPage, kind: 'landing' }],
  })
  assert.equal(registered.status, 200, await registered.text())
  browser = await launchChromium()
})
after(async () => {
  await browser?.close()
  await service?.[Symbol.asyncDispose]()
  await app?.[Symbol.asyncDispose]()
})

/** The app's page, told what to connect. */
async function openApp(profile: Profile, more: Readonly<Record<string, unknown>> = {}): Promise<Page> {
  const page = await profile.newPage()
  await page.goto(app.origin)
  await prepare(page, more)
  return page
}

async function prepare(page: Page, more: Readonly<Record<string, unknown>>): Promise<void> {
  const ask = { baseUrl: service.url, provider: 'sandbox', spaceId, collectionId, ...more }
  await page.evaluate(`window.ask = ${JSON.stringify(ask)}; window.token = ${JSON.stringify(await service.token())}`)
}

/** Clicks and answers the popup that opened. */
async function clickConnect(profile: Profile, page: Page): Promise<Page> {
  const opening = profile.context.waitForEvent('page')
  await page.click('#connect')
  const popup = await opening
  await popup.waitForURL(/\/interaction\//)
  return popup
}

interface Shown {
  readonly connectorId?: string
  readonly kind?: string
  readonly reason?: string
  readonly code?: string
}

/** What the page shows in the end. */
async function shown(page: Page): Promise<Shown> {
  await page.waitForFunction(`document.getElementById('result')?.textContent !== ''`)
  return JSON.parse((await page.textContent('#result')) ?? '{}') as Shown
}

async function assertConnected(id: string | undefined): Promise<void> {
  assert.ok(id)
  const path = `/v1/spaces/${spaceId}/collections/${collectionId}/connectors/${id}`
  const { data } = (await (await service.call('GET', path)).json()) as { data: { status: string } }
  assert.equal(data.status, 'active')
}

describe('connect, by popup', () => {
  it('resolves to the connector by the closing page’s message, and the window closes', async () => {
    const profile = await openProfile(browser)
    const page = await openApp(profile)
    const popup = await clickConnect(profile, page)
    const closed = popup.waitForEvent('close')
    await consentIn(popup)
    await assertConnected((await shown(page)).connectorId)
    await closed
    assert.deepEqual(profile.complaints, [])
    await profile.context.close()
  })

  it('resolves by the landing page where the provider cuts the window off from its opener', async () => {
    const profile = await openProfile(browser)
    const page = await openApp(profile, { landingPage: app.landingPage })
    service.sandbox.behave({ seversOpener: true })
    try {
      const popup = await clickConnect(profile, page)
      assert.equal(await popup.evaluate('window.opener'), null)
      const closed = popup.waitForEvent('close')
      await consentIn(popup)
      await assertConnected((await shown(page)).connectorId)
      await closed
    } finally {
      service.sandbox.behave({ seversOpener: false })
    }
    await profile.context.close()
  })

  it('rejects as denied when the user says no', async () => {
    const profile = await openProfile(browser)
    const page = await openApp(profile)
    await consentIn(await clickConnect(profile, page), 'ada', 'Deny')
    const { reason, code } = await shown(page)
    assert.deepEqual([reason, code], ['denied', 'access_denied'])
    await profile.context.close()
  })

  it('rejects as closed, after a moment of grace, when the user closes the window', async () => {
    const profile = await openProfile(browser)
    const page = await openApp(profile, { closedGraceMs: 500 })
    const popup = await clickConnect(profile, page)
    await popup.close()
    await page.bringToFront()
    assert.equal((await shown(page)).reason, 'closed')
    await profile.context.close()
  })

  it('rejects as blocked when the browser opens no window', async () => {
    const profile = await openProfile(browser)
    const page = await openApp(profile)
    await page.evaluate('window.open = () => null')
    await page.click('#connect')
    assert.equal((await shown(page)).reason, 'blocked')
    await profile.context.close()
  })

  it('rejects as aborted, closes the window and listens no more', async () => {
    const profile = await openProfile(browser)
    const page = await openApp(profile)
    await page.evaluate('window.abort = new AbortController(); window.signal = window.abort.signal')
    const popup = await clickConnect(profile, page)
    const closed = popup.waitForEvent('close')
    await page.evaluate('window.abort.abort()')
    assert.equal((await shown(page)).reason, 'aborted')
    await closed
    await profile.context.close()
  })

  it('says what the service refuses', async () => {
    const profile = await openProfile(browser)
    const page = await openApp(profile, { provider: 'no-such-provider' })
    const opening = profile.context.waitForEvent('page')
    await page.click('#connect')
    const popup = await opening
    const { reason, code } = await shown(page)
    assert.deepEqual([reason, code], ['refused', 'provider_unknown'])
    assert.equal(popup.isClosed(), true)
    await profile.context.close()
  })

  it('rejects as a network failure when the service cannot be reached', async () => {
    const profile = await openProfile(browser)
    const page = await openApp(profile, { baseUrl: 'http://127.0.0.1:9' })
    await page.click('#connect')
    assert.equal((await shown(page)).reason, 'network')
    await profile.context.close()
  })

  it('ignores a message from a stranger’s origin, and one of another session', async () => {
    const profile = await openProfile(browser)
    const page = await openApp(profile)
    const created = page.waitForResponse((response) => response.url().endsWith('/sessions'))
    const popup = await clickConnect(profile, page)
    const { data } = (await (await created).json()) as { data: { session_id: string } }
    const forge = (
      origin: string,
      sessionId: string,
    ) => `for (const status of ['failed', 'connected', 'awaiting_completion'])
      dispatchEvent(new MessageEvent('message', { origin: ${JSON.stringify(origin)}, data: {
        source: 'connector-oauth', session_id: ${JSON.stringify(sessionId)}, status, completion_code: 'stolen' } }))`
    await page.evaluate(forge('https://stranger.example', data.session_id))
    await page.evaluate(forge(service.url, 'ses_other'))
    assert.equal(await page.textContent('#result'), '')
    await consentIn(popup)
    await assertConnected((await shown(page)).connectorId)
    await profile.context.close()
  })

  it('keeps two windows of one page apart', async () => {
    const profile = await openProfile(browser)
    const first = await openApp(profile)
    const firstPopup = await clickConnect(profile, first)
    const second = await openApp(profile)
    const secondPopup = await clickConnect(profile, second)
    await consentIn(secondPopup, 'grace')
    const two = await shown(second)
    assert.equal(await first.textContent('#result'), '')
    await firstPopup.getByRole('button', { name: /Allow|Sign in/ }).waitFor()
    const isSignedIn = await firstPopup.getByRole('button', { name: 'Allow' }).isVisible()
    if (isSignedIn) await firstPopup.getByRole('button', { name: 'Allow' }).click({ noWaitAfter: true })
    else await consentIn(firstPopup)
    const one = await shown(first)
    await assertConnected(one.connectorId)
    await assertConnected(two.connectorId)
    assert.notEqual(one.connectorId, two.connectorId)
    await profile.context.close()
  })
})

describe('connectByRedirect', () => {
  it('comes back to the landing page of the same tab, which finishes', async () => {
    const profile = await openProfile(browser)
    const page = await openApp(profile, { landingPage: app.landingPage })
    await page.click('#leave')
    await page.waitForURL(/\/interaction\//)
    await consentIn(page)
    await page.waitForURL(app.landingPage)
    const finish = await shown(page)
    assert.equal(finish.kind, 'connected')
    await assertConnected(finish.connectorId)
    // Neither the address nor the history keeps the code.
    assert.equal(page.url(), app.landingPage)
    await page.reload()
    assert.equal((await shown(page)).kind, 'nothing')
    await profile.context.close()
  })

  it('does not finish in a tab that did not begin it', async () => {
    const profile = await openProfile(browser)
    const page = await profile.newPage()
    await page.goto(`${app.landingPage}#session_id=ses_x&status=awaiting_completion&completion_code=stolen`)
    assert.equal((await shown(page)).reason, 'closed')
    await profile.context.close()
  })
})
