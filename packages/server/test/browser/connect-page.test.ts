import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { launchChromium, openProfile, type Profile } from './support/chromium.ts'
import { complete, consentIn, firstMessage, messagesOf, openPopup, type Told } from './support/journey.ts'
import { startPlatform, type Platform } from './support/platform.ts'

let platform: Platform
let stranger: Platform
let service: TestService
let browser: Browser
before(async () => {
  platform = await startPlatform()
  stranger = await startPlatform()
  service = await startTestService({
    env: {
      ALLOWED_ORIGINS: platform.origin,
      ALLOWED_REDIRECT_URIS: platform.landingUri,
      PROVIDER_SHOPIFY_CLIENT_ID: 'client',
      PROVIDER_SHOPIFY_CLIENT_SECRET: 'secret',
    },
  })
  browser = await launchChromium()
})
after(async () => {
  await browser?.close()
  await service?.[Symbol.asyncDispose]()
  await platform?.[Symbol.asyncDispose]()
  await stranger?.[Symbol.asyncDispose]()
})

interface Created {
  readonly connect_session_id: string
  readonly connect_url: string
}

async function create(body: Readonly<Record<string, unknown>>): Promise<Created> {
  const given = { space_id: spaceId, collection_id: collectionId, providers: ['sandbox'], ...body }
  const reply = await service.call('POST', '/v1/connect-sessions', { body: given })
  const answer = (await reply.json()) as { data: Created }
  assert.equal(reply.status, 201, JSON.stringify(answer))
  return answer.data
}

interface Status {
  readonly status: string
  readonly error_code: string | null
  readonly connector_id: string | null
}

async function statusOf({ connect_session_id: id }: Created): Promise<Status> {
  const reply = await service.call('GET', `/v1/connect-sessions/${id}`)
  return ((await reply.json()) as { data: Status }).data
}

const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { level: 1, name }).waitFor()

/** Presses the button that opens the provider in a window of its own. */
async function goElsewhere(profile: Profile, page: Page): Promise<Page> {
  const opening = profile.context.waitForEvent('page')
  await page.getByRole('button', { name: /^Continue to/ }).click()
  return opening
}

async function openInPopup(url: string, at = platform): Promise<{ profile: Profile; opener: Page; popup: Page }> {
  const profile = await openProfile(browser)
  const opener = await profile.newPage()
  await opener.goto(at.origin)
  return { profile, opener, popup: await openPopup(profile, opener, url) }
}

/** What a landing page finds in its address. */
async function landed(page: Page): Promise<URLSearchParams> {
  await page.waitForURL((url) => url.href.startsWith(platform.landingUri))
  return new URLSearchParams(new URL(page.url()).hash.slice(1))
}

it('connects in a popup: the app is told on its exact origin, and the page shows the end and closes', async () => {
  const session = await create({ origin: platform.origin })
  const { profile, opener, popup } = await openInPopup(session.connect_url)
  await heading(popup, /^Connect /)
  assert.equal(popup.url(), session.connect_url.split('#', 1)[0])
  assert.deepEqual(await messagesOf(opener), [])
  await consentIn(await goElsewhere(profile, popup))
  const { origin, data } = await firstMessage(opener)
  assert.equal(origin, service.url)
  const told = data as Told & { readonly connect_session_id: string; readonly provider: string }
  const { source, status, provider } = told
  assert.deepEqual(
    { source, status, provider, of: told.connect_session_id },
    { source: 'connector-oauth', status: 'awaiting_completion', provider: 'sandbox', of: session.connect_session_id },
  )
  await heading(popup, 'Almost connected')
  const closed = popup.waitForEvent('close')
  const done = await complete(service, { session_id: data.session_id, completion_code: data.completion_code })
  assert.equal(done.status, 200)
  await heading(popup, / is connected$/)
  await closed
  assert.equal((await statusOf(session)).connector_id, done.body.connector_id)
  assert.ok(profile.requests.every((address) => !/cst_|completion_code=/.test(address.split('#', 1)[0] ?? '')))
  const known = [platform.origin, service.url, service.sandbox.issuer].map((url) => new URL(url).host)
  assert.deepEqual(profile.hosts(), known.toSorted())
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('lets the user try again after a refusal, and tells the app only once it is given up', async () => {
  const session = await create({ origin: platform.origin })
  const { profile, opener, popup } = await openInPopup(session.connect_url)
  await consentIn(await goElsewhere(profile, popup), 'ada', 'Deny')
  await heading(popup, 'Nothing was connected')
  assert.deepEqual(await messagesOf(opener), [])
  assert.equal((await statusOf(session)).status, 'started')
  await popup.getByRole('button', { name: 'Try again' }).click()
  await heading(popup, /^Connect /)
  const closed = popup.waitForEvent('close')
  await popup.getByRole('button', { name: 'Cancel' }).click()
  await closed
  assert.equal((await firstMessage(opener)).data.status, 'failed')
  assert.deepEqual((await statusOf(session)).status, 'failed')
  await profile.context.close()
})

it('connects by redirect, over a reload in the middle and the back button, and ends at the landing page', async () => {
  const session = await create({ mode: 'redirect', redirect_uri: platform.landingUri })
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  await page.goto(platform.origin)
  await page.goto(session.connect_url)
  await heading(page, /^Connect /)
  await page.reload()
  await heading(page, /^Connect /)
  const go = page.getByRole('button', { name: /^Continue to/ })
  await go.click()
  await page.getByLabel('User name').waitFor()
  await page.goBack()
  await heading(page, /^Connect /)
  await go.click()
  await consentIn(page)
  const told = await landed(page)
  assert.equal(told.get('connect_session_id'), session.connect_session_id)
  assert.equal(told.get('provider'), 'sandbox')
  const done = await complete(service, {
    session_id: told.get('session_id') ?? '',
    completion_code: told.get('completion_code') ?? '',
  })
  assert.equal(done.status, 200)
  assert.equal((await statusOf(session)).status, 'connected')
  // Whoever comes back here is told that it is done.
  await page.goto(session.connect_url)
  await heading(page, 'Already connected')
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('leads back from a redirect that was given up as from a failure, at once and whenever it is opened again', async () => {
  const session = await create({ mode: 'redirect', redirect_uri: platform.landingUri })
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  const ends = async (press: string): Promise<void> => {
    await page.goto(session.connect_url)
    await page.getByRole('button', { name: press }).click()
    const told = await landed(page)
    assert.deepEqual([told.get('status'), told.get('error_code')], ['failed', 'cancelled'])
  }
  await ends('Cancel')
  await ends('Back to the app')
  await profile.context.close()
})

it('takes a shop as it was pasted to the shop’s own page, and asks again for what is none', async () => {
  const session = await create({ mode: 'redirect', redirect_uri: platform.landingUri, providers: ['shopify'] })
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  await page.goto(session.connect_url)
  const shop = page.getByRole('textbox')
  const go = async (text: string): Promise<void> => {
    await shop.fill(text)
    await page.getByRole('button', { name: 'Continue' }).click()
  }
  await go('my shop')
  await page.getByRole('alert').filter({ hasText: /./ }).waitFor()
  await go('shop.elsewhere.example')
  await page.getByRole('button', { name: /^Continue to/ }).click()
  await page.getByRole('alert').filter({ hasText: /./ }).waitFor()
  await go('https://my-store.myshopify.com/admin')
  // Nobody answers there; that the browser is sent there is what counts.
  const sent = page.waitForRequest((request) => new URL(request.url()).host === 'my-store.myshopify.com')
  await page.getByRole('button', { name: /^Continue to/ }).click()
  assert.equal(new URL((await sent).url()).pathname, '/admin/oauth/authorize')
  await profile.context.close()
})

it('connects by a mailed link, which opening uses up as little as scanning does', async () => {
  const session = await create({
    mode: 'link',
    redirect_uri: platform.landingUri,
    locale: 'de',
    display: { started_by: 'Ada' },
  })
  const scanner = await openProfile(browser)
  const scanned = await scanner.newPage()
  await scanned.goto(session.connect_url)
  await heading(scanned, 'Ein Konto verbinden')
  await scanner.context.close()
  assert.equal((await statusOf(session)).status, 'created')
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  await page.goto(session.connect_url)
  await page.getByText('Nur Ada kann').waitFor()
  await page.getByRole('button', { name: 'Ja, weiter' }).click()
  await page.getByRole('button', { name: /^Weiter zu/ }).click()
  await consentIn(page, 'ada', 'Deny')
  await heading(page, 'Es wurde nichts verbunden')
  await page.getByRole('button', { name: 'Noch einmal versuchen' }).click()
  await page.getByRole('button', { name: /^Weiter zu/ }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  const told = await landed(page)
  assert.match(told.get('completion_code') ?? '', /^[\w-]{43}$/)
  // Somebody else who was sent the link, and finishes it, attaches nothing.
  const token = await service.token({ sub: 'victor' })
  const body = { session_id: told.get('session_id') ?? '', completion_code: told.get('completion_code') ?? '' }
  assert.equal((await complete(service, body, token)).body.code, 'principal_mismatch')
  await profile.context.close()
})

it('says so when the window of the provider is closed half-way, and goes on when asked', async () => {
  const session = await create({ origin: platform.origin })
  const { profile, opener, popup } = await openInPopup(session.connect_url)
  const first = await goElsewhere(profile, popup)
  await first.getByLabel('User name').waitFor()
  await first.close()
  await heading(popup, 'The window was closed')
  await popup.getByRole('button', { name: 'Try again' }).click()
  await consentIn(await goElsewhere(profile, popup))
  assert.equal((await firstMessage(opener)).data.status, 'awaiting_completion')
  await profile.context.close()
})

it('keeps two popups of one browser apart', async () => {
  const [one, other] = [await create({ origin: platform.origin }), await create({ origin: platform.origin })]
  const { profile, opener, popup } = await openInPopup(one.connect_url)
  const second = await openPopup(profile, opener, other.connect_url)
  const [atFirst, atSecond] = [await goElsewhere(profile, popup), await goElsewhere(profile, second)]
  await consentIn(atSecond, 'grace')
  const { data } = await firstMessage(opener)
  assert.equal(Reflect.get(data, 'connect_session_id'), other.connect_session_id)
  await heading(popup, 'Continue in the other window')
  // One browser has one sign-in at the sandbox.
  await atFirst.close()
  await profile.context.close()
})

it('tells a stranger who opens, frames or messages it nothing', async () => {
  const session = await create({ origin: platform.origin })
  const { profile, opener, popup } = await openInPopup(session.connect_url, stranger)
  const atProvider = await goElsewhere(profile, popup)
  await opener.evaluate(`popup.postMessage({ source: 'connector-oauth', kind: 'outcome', status: 'connected' }, '*')`)
  await opener.evaluate(
    `new BroadcastChannel('connector-oauth connect ${session.connect_session_id}').postMessage({ kind: 'outcome', outcome: { session_id: 'ses_x', status: 'connected' } })`,
  )
  await consentIn(atProvider)
  await heading(popup, 'Almost connected')
  assert.deepEqual(await messagesOf(opener), [])
  assert.equal((await statusOf(session)).status, 'awaiting_completion')
  const refused = profile.context.waitForEvent('console', (message) =>
    message.text().includes("frame-ancestors 'none'"),
  )
  const framed = await profile.newPage()
  await framed.goto(`${stranger.origin}/frame?of=${encodeURIComponent(session.connect_url)}`)
  await refused
  await profile.context.close()
})

it('goes nowhere without its token, with another session’s, or with an outcome that this tab did not start', async () => {
  const [one, other] = [await create({ origin: platform.origin }), await create({ origin: platform.origin })]
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  const [address = '', token = ''] = one.connect_url.split('#')
  await page.goto(address)
  await heading(page, 'This page cannot go on')
  await page.getByRole('button', { name: 'Close this window' }).waitFor()
  await page.goto(`${service.url}/connect/${other.connect_session_id}#${token}`)
  await heading(page, 'This page cannot go on')
  const { opener, popup, profile: withOpener } = await openInPopup(one.connect_url)
  await heading(popup, /^Connect /)
  await popup.evaluate(
    `location.hash = 'session_id=ses_x&status=awaiting_completion&completion_code=planted'; location.reload()`,
  )
  await heading(popup, /^Connect /)
  assert.deepEqual(await messagesOf(opener), [])
  await withOpener.context.close()
  await profile.context.close()
})
