import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { makeLoginLink } from '../../src/domain/login-link.ts'
import { allRights, startTestService, type TestService } from '../support/service.ts'
import { launchChromium, openProfile, type Profile } from './support/chromium.ts'
import { consentIn } from './support/journey.ts'

let service: TestService
let browser: Browser

before(async () => {
  service = await startTestService({ background: true })
  browser = await launchChromium()
})
after(async () => {
  await browser?.close()
  await service?.[Symbol.asyncDispose]()
})

/** The tenant is new for each test: its list begins empty. */
async function signIn(tenantId: string): Promise<{ profile: Profile; page: Page; link: string }> {
  const link = await makeLoginLink(service.context, { tenantId, subject: 'ada', scope: allRights })
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  await page.goto(link.reveal())
  await page.getByRole('heading', { name: 'Connected accounts' }).waitFor()
  return { profile, page, link: link.reveal() }
}

async function pressConnect(profile: Profile, page: Page): Promise<Page> {
  const opening = profile.context.waitForEvent('page')
  await page.getByRole('button', { name: 'Connect a sandbox account' }).click()
  return opening
}

it('signs in once with a link, and leaves no trace of it in the address', async () => {
  const { profile, page, link } = await signIn('once')
  assert.equal(page.url(), `${service.url}/`)
  const other = await openProfile(browser)
  const second = await other.newPage()
  await second.goto(link)
  await second.getByRole('alert').getByText('was used or has expired').waitFor()
  assert.equal(await second.getByRole('heading', { name: 'Connected accounts' }).isVisible(), false)
  assert.deepEqual(await profile.context.cookies(), [])
  await profile.context.close()
  await other.context.close()
})

it('connects an account within seconds, lists it, keeps signed in over a reload, and disconnects it', async () => {
  const { profile, page } = await signIn('connects')
  const startedAt = performance.now()
  const popup = await pressConnect(profile, page)
  const closed = popup.waitForEvent('close')
  await consentIn(popup)
  await page.getByRole('status').getByText('Connected. The account is listed below.').waitFor()
  assert.ok(performance.now() - startedAt < 20_000, 'it took more than twenty seconds')
  await closed
  const item = page.getByRole('listitem')
  assert.match(await item.innerText(), /ada[^]*active[^]*sandbox · conn_/)

  await page.reload()
  await item.waitFor()
  await page.getByRole('button', { name: 'Disconnect ada' }).click()
  await page.getByRole('status').getByText('Disconnected.').waitFor()
  await page.getByText('No account is connected yet').waitFor()
  assert.equal(await page.evaluate('document.activeElement.id'), 'result')
  const hosts = [service.url, service.sandbox.issuer].map((url) => new URL(url).host)
  assert.deepEqual(profile.hosts(), hosts.toSorted())
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('is worked with the keyboard alone', async () => {
  const { profile, page } = await signIn('keyboard')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  const opening = profile.context.waitForEvent('page')
  await page.keyboard.press('Enter')
  const popup = await opening
  await popup.getByLabel('User name').waitFor()
  await popup.keyboard.type('ada')
  await popup.keyboard.press('Enter')
  const allow = popup.getByRole('button', { name: 'Allow' })
  await allow.waitFor()
  for (let presses = 0; presses < 12; presses += 1) {
    await popup.keyboard.press('Tab')
    if ((await popup.evaluate('document.activeElement.value')) === 'allow') break
  }
  await popup.keyboard.press('Enter')
  await page.getByRole('listitem').waitFor()
  await profile.context.close()
})

it('says that access was not allowed, and connects nothing', async () => {
  const { profile, page } = await signIn('denied')
  await consentIn(await pressConnect(profile, page), 'ada', 'Deny')
  await page.getByRole('status').getByText('You did not allow access. Nothing was connected.').waitFor()
  await page.getByText('No account is connected yet').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Connect a sandbox account' }).isEnabled(), true)
  await profile.context.close()
})

it('lets one try again after the window was closed half-way', async () => {
  const { profile, page } = await signIn('closed')
  const popup = await pressConnect(profile, page)
  await popup.getByLabel('User name').waitFor()
  await popup.close()
  await page.getByRole('status').getByText('The window was closed before consent.').waitFor()
  await consentIn(await pressConnect(profile, page))
  await page.getByRole('listitem').waitFor()
  await profile.context.close()
})

it('says so when the sign-in has ended', async () => {
  const { profile, page } = await signIn('ended')
  await page.evaluate("sessionStorage.setItem('token', 'one.that.ended')")
  await page.reload()
  await page.getByRole('alert').getByText('You are signed out now').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Connect a sandbox account' }).isVisible(), false)
  assert.equal(await page.evaluate('sessionStorage.length'), 0)
  await profile.context.close()
})

it('says that the window was blocked', async () => {
  const { profile, page } = await signIn('blocked')
  await page.evaluate('void (window.open = () => null)')
  await page.getByRole('button', { name: 'Connect a sandbox account' }).click()
  await page.getByRole('status').getByText('Allow pop-ups for this page').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Connect a sandbox account' }).isEnabled(), true)
  await profile.context.close()
})

it('connects also when the provider’s pages cut the window off from its opener', async () => {
  const { profile, page } = await signIn('cut-off')
  await profile.context.route('**/interaction/*/login', async (route) => {
    const answer = await route.fetch({ maxRedirects: 0 })
    await route.fulfill({
      response: answer,
      headers: { ...answer.headers(), 'cross-origin-opener-policy': 'same-origin' },
    })
  })
  const popup = await pressConnect(profile, page)
  await popup.getByLabel('User name').fill('ada')
  await popup.getByRole('button', { name: 'Sign in' }).click()
  const allow = popup.getByRole('button', { name: 'Allow' })
  await allow.waitFor()
  assert.equal(await popup.evaluate('window.opener'), null)
  await page.getByRole('status').getByText('The window was closed before consent.').waitFor()
  await allow.click()
  await page.getByRole('status').getByText('Connected. The account is listed below.').waitFor()
  await page.getByRole('listitem').waitFor()
  await profile.context.close()
})
