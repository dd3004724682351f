import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { freePort, startTestService, type TestService } from '../support/service.ts'
import { launchChromium, openProfile, type Profile } from './support/chromium.ts'
import { consentIn, messagesOf, openPopup, startSession } from './support/journey.ts'
import { addSandboxProvider } from './support/custom-provider.ts'
import { startPlatform, type Platform } from './support/platform.ts'

const client = { clientId: 'second', clientSecret: 'second-secret', redirectUris: 'any-loopback-callback' } as const

let platform: Platform
let service: TestService
let browser: Browser
let slugs: readonly [string, string]

before(async () => {
  platform = await startPlatform()
  const port = await freePort()
  service = await startTestService({
    env: { ALLOWED_ORIGINS: platform.origin, ALLOWED_PRIVATE_HOSTS: `localhost:${port}` },
    sandbox: { port, clients: [client] },
  })
  slugs = [await addSandboxProvider(service, client), await addSandboxProvider(service, client)]
  browser = await launchChromium()
})
after(async () => {
  await browser?.close()
  await service?.[Symbol.asyncDispose]()
  await platform?.[Symbol.asyncDispose]()
})

async function finishBoth(first: string, second: string): Promise<void> {
  const profile = await openProfile(browser)
  const opener = await profile.newPage()
  await opener.goto(platform.origin)
  const sessions = []
  const popups = []
  for (const slug of [first, second]) {
    const session = await startSession(service, { origin: platform.origin }, { slug })
    const popup = await openPopup(profile, opener, session.authorize_url)
    await popup.getByLabel('User name').waitFor()
    sessions.push({ ...session, slug })
    popups.push(popup)
  }
  // The window that was opened last finishes first.
  for (const popup of popups.toReversed()) await consentIn(popup)
  await opener.waitForFunction('messages.length === 2')
  const told = new Map((await messagesOf(opener)).map(({ data }) => [data.session_id, data.completion_code]))
  for (const { session_id: id, slug } of sessions) {
    const reply = await service.call('POST', `/v1/connectors/oauth/${slug}/complete`, {
      body: { session_id: id, completion_code: told.get(id) },
    })
    assert.equal(reply.status, 200, await reply.text())
  }
  assert.deepEqual(await bindings(profile), [])
  await profile.context.close()
}

async function bindings(profile: Profile): Promise<readonly string[]> {
  const cookies = await profile.context.cookies(service.url)
  return cookies.map((cookie) => cookie.name).filter((name) => name.startsWith('__Host-co_'))
}

it('finishes two windows for the same provider', () => finishBoth(slugs[0], slugs[0]))

it('finishes two windows for different providers', () => finishBoth(slugs[0], slugs[1]))

it('keeps the bindings of the ten newest windows', async () => {
  const profile = await openProfile(browser)
  const windows = []
  for (let opened = 0; opened < 12; opened += 1) {
    const session = await startSession(service, { origin: platform.origin }, { slug: slugs[0] })
    const page = await profile.newPage()
    await page.goto(session.authorize_url)
    windows.push({ page, id: session.session_id })
  }
  const kept = await bindings(profile)
  assert.equal(kept.length, 10)
  const expected = windows.slice(2).map(({ id }) => id)
  assert.deepEqual(
    kept.map((name) => expected.findIndex((id) => name.endsWith(`_${id}`))).toSorted((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  )
  const [oldest, newest] = [windows.at(0)?.page, windows.at(-1)?.page]
  assert.ok(oldest && newest)
  await consentIn(newest)
  await newest.getByRole('heading', { name: 'Almost connected' }).waitFor()
  await consentIn(oldest)
  await oldest.getByRole('alert').getByText('started in another browser').waitFor()
  await profile.context.close()
})

it('sets binding cookies that no script reads and no other site receives', async () => {
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  const session = await startSession(service, { origin: platform.origin }, { slug: slugs[0] })
  await page.goto(session.authorize_url)
  const [cookie] = (await profile.context.cookies(service.url)).filter(({ name }) => name.startsWith('__Host-co_'))
  assert.ok(cookie)
  const { httpOnly, secure, sameSite, path, domain } = cookie
  assert.deepEqual(
    { httpOnly, secure, sameSite, path, domain },
    { httpOnly: true, secure: true, sameSite: 'Lax', path: '/', domain: 'localhost' },
  )
  const livesFor = cookie.expires - Date.now() / 1000
  assert.ok(livesFor > 500 && livesFor <= 601, `${livesFor} s`)
  await profile.context.close()
})
