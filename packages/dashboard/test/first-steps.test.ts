import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchChromium, openProfile } from '../../server/test/browser/support/chromium.ts'
import { consentIn } from '../../server/test/browser/support/journey.ts'
import { startTestService, type TestService } from '../../server/test/support/service.ts'
import { popupOf, signIn } from './support/signed-in.ts'

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

const connectButton = 'Connect a sandbox account'

it('signs in once with a link, and leaves no trace of it in the address', async () => {
  const { profile, page, link } = await signIn(service, browser, 'once')
  assert.equal(page.url(), `${service.url}/`)
  const other = await openProfile(browser)
  const second = await other.newPage()
  await second.goto(link)
  await second.getByRole('alert').getByText('was used or has expired').waitFor()
  assert.equal(await second.getByRole('heading', { name: 'Overview' }).isVisible(), false)
  assert.deepEqual(await profile.context.cookies(), [])
  assert.equal(await page.evaluate('localStorage.length'), 0)
  await profile.context.close()
  await other.context.close()
})

it('connects an account within seconds, lists it, keeps signed in over a reload, and disconnects it with a receipt', async () => {
  const signedIn = await signIn(service, browser, 'connects')
  const { profile, page } = signedIn
  await page.getByText('No account is connected yet').waitFor()
  const startedAt = performance.now()
  const popup = await popupOf(signedIn, connectButton)
  const closed = popup.waitForEvent('close')
  await consentIn(popup)
  await page.getByRole('status').getByText('Connected. The account is listed below').waitFor()
  assert.ok(performance.now() - startedAt < 20_000, 'it took more than twenty seconds')
  await closed
  const item = page.getByRole('list', { name: 'Newest accounts' }).getByRole('listitem')
  await item.getByText('sandbox · conn_').waitFor()
  assert.match(await item.innerText(), /^ada[^]*Connected$/)

  await page.reload()
  await item.getByRole('link').click()
  await page.getByRole('heading', { name: 'ada', level: 1 }).waitFor()
  const scopes = page.getByRole('table').getByRole('row')
  await scopes.filter({ hasText: 'offline_access' }).getByText('Granted').waitFor()

  await page.getByRole('link', { name: 'Test call' }).click()
  await page.getByRole('button', { name: 'Call', exact: true }).click()
  await page.getByRole('region', { name: 'Answer' }).getByText('"ada"').first().waitFor()

  await page.getByRole('button', { name: 'Disconnect' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click()
  const receipt = page.getByRole('status').filter({ hasText: 'Tokens destroyed' })
  await receipt.getByText('Revoked', { exact: true }).waitFor()
  const saving = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Download' }).click()
  assert.match((await saving).suggestedFilename(), /^disconnected-conn_.*\.json$/)
  const hosts = [service.url, service.sandbox.issuer].map((url) => new URL(url).host)
  assert.deepEqual(profile.hosts(), hosts.toSorted())
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('is worked with the keyboard alone', async () => {
  const { profile, page } = await signIn(service, browser, 'keyboard')
  const button = page.getByRole('button', { name: connectButton })
  await button.waitFor()
  for (let presses = 0; presses < 30; presses += 1) {
    await page.keyboard.press('Tab')
    if ((await page.evaluate<string>('document.activeElement.textContent')) === connectButton) break
  }
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
  await page.getByRole('listitem').getByText('sandbox · conn_').waitFor()
  await profile.context.close()
})

it('says that access was not allowed, and connects nothing', async () => {
  const signedIn = await signIn(service, browser, 'denied')
  const { profile, page } = signedIn
  await consentIn(await popupOf(signedIn, connectButton), 'ada', 'Deny')
  await page.getByRole('status').getByText('Access was not allowed at the provider. Nothing was connected.').waitFor()
  await page.getByText('No account is connected yet').waitFor()
  assert.equal(await page.getByRole('button', { name: connectButton }).isEnabled(), true)
  await profile.context.close()
})

it('lets one try again after the window was closed half-way', async () => {
  const signedIn = await signIn(service, browser, 'closed')
  const { profile, page } = signedIn
  const popup = await popupOf(signedIn, connectButton)
  await popup.getByLabel('User name').waitFor()
  await popup.close()
  await page.getByRole('status').getByText('The window was closed before consent.').waitFor()
  await consentIn(await popupOf(signedIn, connectButton))
  await page.getByRole('listitem').getByText('sandbox · conn_').waitFor()
  await profile.context.close()
})

it('says so when the sign-in has ended, and comes back to the page after the next', async () => {
  const { profile, page } = await signIn(service, browser, 'ended')
  await page.goto(`${service.url}/audit?actor_id=ada`)
  await page.getByRole('table', { name: 'Audit entries' }).waitFor()
  await page.evaluate('sessionStorage.setItem(\'connector-oauth.session\', \'{"token": "one.that.ended"}\')')
  await page.reload()
  await page.getByRole('alert').getByText('You are signed out now').waitFor()
  assert.equal(await page.getByRole('navigation').count(), 0)
  assert.equal(await page.evaluate("sessionStorage.getItem('connector-oauth.session')"), null)
  assert.equal(page.url(), `${service.url}/audit?actor_id=ada`)
  await profile.context.close()
})

it('says that the window was blocked', async () => {
  const { profile, page } = await signIn(service, browser, 'blocked')
  await page.evaluate('void (window.open = () => null)')
  await page.getByRole('button', { name: connectButton }).click()
  await page.getByRole('status').getByText('Allow pop-ups for this page').waitFor()
  assert.equal(await page.getByRole('button', { name: connectButton }).isEnabled(), true)
  await profile.context.close()
})

it('connects also when the provider’s pages cut the window off from its opener', async () => {
  const signedIn = await signIn(service, browser, 'cut-off')
  const { profile, page } = signedIn
  await profile.context.route('**/interaction/*/login', async (route) => {
    const answer = await route.fetch({ maxRedirects: 0 })
    await route.fulfill({
      response: answer,
      headers: { ...answer.headers(), 'cross-origin-opener-policy': 'same-origin' },
    })
  })
  const popup = await popupOf(signedIn, connectButton)
  await popup.getByLabel('User name').fill('ada')
  await popup.getByRole('button', { name: 'Sign in' }).click()
  const allow = popup.getByRole('button', { name: 'Allow' })
  await allow.waitFor()
  assert.equal(await popup.evaluate('window.opener'), null)
  await page.getByRole('status').getByText('The window was closed before consent.').waitFor()
  await allow.click()
  await page.getByRole('status').getByText('Connected. The account is listed below').waitFor()
  await page.getByRole('listitem').getByText('sandbox · conn_').waitFor()
  await profile.context.close()
})
