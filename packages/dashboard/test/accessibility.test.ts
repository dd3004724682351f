import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { assertAccessible } from '../../server/test/browser/support/accessible.ts'
import { launchChromium } from '../../server/test/browser/support/chromium.ts'
import { connectAccount } from '../../server/test/support/consent.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../../server/test/support/service.ts'
import { signIn, type SignedIn } from './support/signed-in.ts'

let service: TestService
let browser: Browser
let signedIn: SignedIn
let connector: string
let webhook: string

before(async () => {
  service = await startTestService({ background: true, env: { ALLOWED_PRIVATE_HOSTS: '127.0.0.1:9' } })
  browser = await launchChromium()
  const token = await service.token()
  connector = `/connectors/${spaceId}/${collectionId}/${await connectAccount(service, { token })}`
  const body = { url: 'http://127.0.0.1:9/hooks', description: 'Nobody listens there' }
  const reply = await service.call('POST', '/v1/admin/webhooks', { body })
  const { data } = (await reply.json()) as { data: { id: string } }
  webhook = `/webhooks/${data.id}`
  await service.call('PUT', '/v1/admin/tenant/redirect-uris', {
    body: [{ uri: 'https://app.example.com/a-rather-long-landing-page-that-does-not-fit', kind: 'landing' }],
  })
  signedIn = await signIn(service, browser, 'acme')
})
after(async () => {
  await browser?.close()
  await service?.[Symbol.asyncDispose]()
})

/** Each page, by what is seen there once it has loaded. */
const pages: Readonly<Record<string, readonly [path: () => string, seen: (page: Page) => Promise<void>]>> = {
  overview: [() => '/', (page) => page.getByText('Refreshes and exports').first().waitFor()],
  connectors: [() => '/connectors', (page) => page.getByRole('table').getByText('sandbox').first().waitFor()],
  'connectors, none fits': [() => '/connectors?q=zzz', (page) => page.getByText('No connector fits').waitFor()],
  connector: [() => connector, (page) => page.getByRole('heading', { name: 'Scopes' }).waitFor()],
  'connector, its health': [() => `${connector}?tab=timeline`, (page) => page.getByText('Good for').waitFor()],
  'connector, its uses': [() => `${connector}?tab=uses`, (page) => page.getByRole('table').waitFor()],
  'connector, a test call': [
    () => `${connector}?tab=call`,
    async (page) => {
      await page.getByRole('button', { name: 'Call', exact: true }).click()
      await page.getByRole('region', { name: 'Answer' }).waitFor()
    },
  ],
  'connector, before it is disconnected': [
    () => connector,
    async (page) => {
      await page.getByRole('button', { name: 'Disconnect' }).click()
      await page.getByRole('dialog').waitFor()
    },
  ],
  'a connector that is not there': [
    () => `${connector}x`,
    (page) => page.getByText('There is no such connector').waitFor(),
  ],
  'an id that no connector has': [
    () => '/connectors/nothing',
    (page) => page.getByText('There is no such connector').waitFor(),
  ],
  'kill switch': [() => '/connectors/kill-switch', (page) => page.getByText('No order was ever given').waitFor()],
  providers: [() => '/providers', (page) => page.getByRole('link', { name: '23andMe' }).waitFor()],
  'the sandbox': [() => '/providers/sandbox', (page) => page.getByText('Ready: there is nothing').waitFor()],
  'a provider': [() => '/providers/google', (page) => page.getByText('Redirect URI').first().waitFor()],
  'a provider with variables': [() => '/providers/zendesk', (page) => page.getByLabel('Client id').waitFor()],
  'a provider to add': [() => '/providers/add', (page) => page.getByLabel('Issuer').waitFor()],
  events: [() => '/events', (page) => page.getByText('connector.connected').first().waitFor()],
  webhooks: [() => '/webhooks', (page) => page.getByText('Nobody listens there').waitFor()],
  'a webhook': [() => webhook, (page) => page.getByRole('heading', { name: 'Deliveries' }).waitFor()],
  audit: [
    () => '/audit',
    async (page) => {
      await page.getByRole('table').getByText('session.started').first().waitFor()
      await page.getByText('Verify an export').click()
    },
  ],
  keys: [() => '/keys', (page) => page.getByText('Epoch 1').waitFor()],
  settings: [() => '/settings', (page) => page.getByText('Set by the deployment').waitFor()],
  'no page': [() => '/providers/a/b', (page) => page.getByText('There is no page at this address').waitFor()],
}

describe('every page is accessible, light and wide as dark and on a phone:', () => {
  for (const [name, [path, seen]] of Object.entries(pages)) {
    it(name, async () => {
      const { page } = signedIn
      await page.goto(service.url + path())
      await seen(page)
      await assertAccessible(page, { wide: 1280, narrow: 375 })
    })
  }

  it('the way in, and the menu of a phone', async () => {
    const { page, profile } = signedIn
    await page.setViewportSize({ width: 375, height: 760 })
    await page.goto(service.url)
    await page.getByRole('button', { name: 'Menu' }).click()
    await assertAccessible(page, { wide: 375, narrow: 375 })
    await page.getByRole('navigation').getByRole('link', { name: 'Keys' }).click()
    await page.getByRole('heading', { name: 'Keys', level: 1 }).waitFor()
    await page.getByRole('button', { name: 'Menu' }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await assertAccessible(page, { wide: 375, narrow: 375 })
    assert.deepEqual(profile.complaints, [])
  })
})
