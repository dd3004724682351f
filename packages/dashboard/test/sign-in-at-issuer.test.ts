import assert from 'node:assert/strict'
import { it } from 'node:test'
import { launchChromium, openProfile } from '../../server/test/browser/support/chromium.ts'
import { startTestService } from '../../server/test/support/service.ts'
import { startIssuer } from './support/issuer.ts'

it('signs in at the platform’s issuer, comes back to the page, and keeps nothing of it in the address', async () => {
  await using issuer = await startIssuer('dashboard')
  await using service = await startTestService({
    env: {
      AUTH_JWKS_URL: `${issuer.url}/jwks`,
      AUTH_ISSUER: issuer.url,
      AUTH_AUDIENCE: 'connectors',
      DASHBOARD_OIDC_CLIENT_ID: 'dashboard',
      ALLOWED_PRIVATE_HOSTS: issuer.host,
    },
  })
  await using browser = await launchChromium()
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  await page.goto(`${service.url}/providers?q=goo`)
  await page.getByRole('button', { name: `Sign in at ${issuer.host}` }).click()
  await page.getByRole('table', { name: 'Providers' }).getByText('Google', { exact: true }).waitFor()
  assert.equal(page.url(), `${service.url}/providers?q=goo`)
  await page.getByText('Tenant acme').waitFor()

  // An answer that this tab did not ask for signs nobody in.
  const other = await openProfile(browser)
  const second = await other.newPage()
  await second.goto(`${service.url}/sign-in?code=stolen&state=of-another`)
  await second.getByRole('heading', { name: 'Sign in' }).waitFor()
  assert.equal(second.url(), `${service.url}/`)
  assert.equal(await second.evaluate("sessionStorage.getItem('connector-oauth.session')"), null)
  assert.deepEqual([...profile.complaints, ...other.complaints], [])
})
