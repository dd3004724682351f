import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { assertAccessible } from '../../server/test/browser/support/accessible.ts'
import { launchChromium } from '../../server/test/browser/support/chromium.ts'
import { connectorsPath, dataOf } from '../../server/test/http/calls.ts'
import { collectionId, spaceId } from '../../server/test/support/service.ts'
import { connectShop, shopSlug, startShops, type Shops } from '../../server/test/support/shops.ts'
import { popupOf, signIn } from './support/signed-in.ts'

let shops: Shops
let browser: Browser

before(async () => {
  shops = await startShops(['one', 'two'])
  // A provider that asks nobody: it sends each browser straight back.
  shops.provider.answer('/auth', (response, { query }) => {
    const back = new URL(query.get('redirect_uri') ?? '')
    back.search = new URLSearchParams({ code: 'code-1', state: query.get('state') ?? '' }).toString()
    response.writeHead(303, { location: back.href }).end()
  })
  browser = await launchChromium()
})
after(async () => {
  await browser?.close()
  await shops?.[Symbol.asyncDispose]()
})

const pageOf = (id: string): string => `${shops.service.url}/connectors/${spaceId}/${collectionId}/${id}`
const shopOf = async (id: string): Promise<unknown> =>
  (await dataOf(await shops.service.call('GET', `${connectorsPath}/${id}`)))['url_variables']

it('reconnects at the address the connector has, without asking for it', async () => {
  assert.equal((await connectShop(shops.service, { shop: 'one' }, { connector_id: 'conn_kept' })).status, 200)
  const signedIn = await signIn(shops.service, browser, 'acme')
  const { profile, page } = signedIn
  await page.goto(pageOf('conn_kept'))
  await page.getByRole('definition').getByText('one', { exact: true }).waitFor()
  await popupOf(signedIn, 'Reconnect')
  await page.getByText('Connected anew; id, settings and history stay.').waitFor()
  assert.equal(shops.askedOf('one', '/auth').length, 1)
  assert.deepEqual(await shopOf('conn_kept'), { shop: 'one' })
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('asks for what the provider needs where the connector has no such value, and keeps it from then on', async () => {
  assert.equal((await connectShop(shops.service, { shop: 'one' }, { connector_id: 'conn_bare' })).status, 200)
  await shops.forgetShopOf('conn_bare')
  const signedIn = await signIn(shops.service, browser, 'acme')
  const { profile, page } = signedIn
  await page.goto(pageOf('conn_bare'))
  await page.getByRole('button', { name: 'Reconnect' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('The part before .shops.localhost').waitFor()
  await assertAccessible(page, { wide: 1280, narrow: 390 })
  await dialog.getByLabel('Shop').fill('A shop')
  await dialog.getByText('It must look like corner.').waitFor()
  await dialog.getByLabel('Shop').fill('two')
  const opening = profile.context.waitForEvent('page')
  await dialog.getByRole('button', { name: 'Reconnect' }).click()
  await opening
  await page.getByText('Connected anew; id, settings and history stay.').waitFor()
  assert.deepEqual(await shopOf('conn_bare'), { shop: 'two' })
  const asked = shops.askedOf('two', '/auth').length
  await popupOf(signedIn, 'Reconnect')
  await page.waitForResponse(`**/oauth/${shopSlug}/complete`)
  assert.equal(shops.askedOf('two', '/auth').length, asked + 1)
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('shows at the field what the service says of a value in a live test', async () => {
  const signedIn = await signIn(shops.service, browser, 'acme')
  const { profile, page } = signedIn
  await page.goto(`${shops.service.url}/providers/${shopSlug}`)
  await popupOf(signedIn, 'Run a test connection')
  const field = page.getByLabel('Shop').last()
  await page.getByText('field required; Shop').first().waitFor()
  assert.equal(await field.getAttribute('aria-invalid'), 'true')
  await field.fill('two')
  await popupOf(signedIn, 'Run a test connection')
  await page.getByText('It works: an account was connected.').waitFor()
  await profile.context.close()
})
