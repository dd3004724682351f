import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchChromium } from '../../server/test/browser/support/chromium.ts'
import { consentIn } from '../../server/test/browser/support/journey.ts'
import { connectorsPath } from '../../server/test/http/calls.ts'
import { connectAccount } from '../../server/test/support/consent.ts'
import { startTestService, type TestService } from '../../server/test/support/service.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../../server/test/support/webhook-receiver.ts'
import { popupOf, signIn } from './support/signed-in.ts'

let service: TestService
let browser: Browser
let receiver: WebhookReceiver

before(async () => {
  receiver = await startWebhookReceiver()
  service = await startTestService({
    background: true,
    env: {
      ALLOWED_PRIVATE_HOSTS: receiver.host,
      PROVIDER_SLACK_CLIENT_ID: 'of-the-deployment',
      PROVIDER_SLACK_CLIENT_SECRET: 'secret-of-the-deployment',
    },
  })
  browser = await launchChromium()
})
after(async () => {
  await browser?.close()
  await service?.[Symbol.asyncDispose]()
  await receiver?.[Symbol.asyncDispose]()
})

it('sets a provider up, with the exact redirect URI to register, and never shows its secret again', async () => {
  const { profile, page } = await signIn(service, browser, 'sets-up')
  await page.getByRole('link', { name: 'Providers' }).click()
  await page.getByRole('searchbox', { name: 'Search providers' }).fill('github')
  await page.getByRole('row').getByRole('link', { name: 'GitHub', exact: true }).click()
  await page.getByText(`${service.url}/v1/connectors/oauth/github/callback`, { exact: true }).waitFor()
  await page.getByLabel('Client id').fill('our-client')
  await page.getByLabel('Client secret').fill('our-secret-of-github')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved. Test it below.').waitFor()
  await page.getByRole('button', { name: 'Run a test connection' }).waitFor()
  await page.reload()
  await page.getByPlaceholder('Stored; leave empty to keep it').waitFor()
  assert.doesNotMatch(await page.content(), /our-secret-of-github/)
  await page.getByLabel('Client id').fill('x'.repeat(600))
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('ensure this value has at most 512 characters').first().waitFor()
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('tests a provider with a real flow, shows the account, and disconnects it again', async () => {
  const signedIn = await signIn(service, browser, 'tests')
  const { profile, page } = signedIn
  await page.goto(`${service.url}/providers/sandbox`)
  await page.getByText('Ready: there is nothing to set up.').waitFor()
  assert.equal(await page.getByText(/Client id|Redirect URI|Forget the client/).count(), 0)
  await consentIn(await popupOf(signedIn, 'Run a test connection'), 'grace')
  await page.getByText('It works: an account was connected.').waitFor()
  await page.getByRole('strong').getByText('grace').waitFor()
  await page.getByRole('button', { name: 'Disconnect the test account' }).click()
  await page.getByText('Disconnected: the tokens are destroyed here').waitFor()
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('lets a tenant forget a client of its own at the sandbox, and offers nothing to forget of the one it came with', async () => {
  const { profile, page } = await signIn(service, browser, 'own-client')
  const token = await service.token({ tenant: 'own-client' })
  const body = { client_id: 'connector-oauth', client_secret: 'of-our-own' }
  const path = '/v1/admin/connector-providers/sandbox'
  assert.equal((await service.call('PATCH', path, { token, body })).status, 200)
  await page.goto(`${service.url}/providers/sandbox`)
  await page.getByLabel('Client id').waitFor()
  await page.getByRole('button', { name: 'Forget the client' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click()
  await page.getByText('Ready: there is nothing to set up.').waitFor()
  await profile.context.close()
})

it('offers to forget a client of the tenant’s, and none of the deployment’s', async () => {
  const { profile, page } = await signIn(service, browser, 'deployments-client')
  const clientId = page.getByLabel('Client id')
  const forget = page.getByRole('button', { name: 'Forget the client' })
  await page.goto(`${service.url}/providers/slack`)
  await clientId.waitFor()
  assert.deepEqual([await clientId.inputValue(), await forget.count()], ['of-the-deployment', 0])
  await clientId.fill('of-our-own')
  await page.getByLabel('Client secret').fill('secret-of-our-own')
  await page.getByRole('button', { name: 'Save' }).click()
  await forget.click()
  await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click()
  await forget.waitFor({ state: 'detached' })
  await page.reload()
  await clientId.waitFor()
  assert.deepEqual([await clientId.inputValue(), await forget.count()], ['of-the-deployment', 0])
  await profile.context.close()
})

it('lists providers that are set up first, the others by name, with categories in words', async () => {
  const { profile, page } = await signIn(service, browser, 'order')
  const token = await service.token({ tenant: 'order' })
  const body = { client_id: 'ours', client_secret: 'also-ours' }
  const path = '/v1/admin/connector-providers/zoom'
  assert.equal((await service.call('PATCH', path, { token, body })).status, 200)
  await page.goto(`${service.url}/providers`)
  const links = page.getByRole('table', { name: 'Providers' }).getByRole('row').getByRole('link')
  await links.getByText('23andMe').waitFor()
  // A letter stands before each name.
  const names = (await links.allInnerTexts()).map((text) => text.split('\n').at(-1) ?? '')
  const others = names.slice(3)
  assert.deepEqual(names.slice(0, 3), ['Sandbox', 'Slack', 'Zoom'])
  assert.deepEqual(others, others.toSorted(new Intl.Collator('en', { numeric: true }).compare))
  await page.getByRole('combobox', { name: 'Category' }).selectOption({ label: 'Project management' })
  const row = page.getByRole('row').filter({ hasText: 'Asana' }).first()
  assert.match(await row.innerText(), /Project management/)
  assert.equal(page.url(), `${service.url}/providers?category=project-management`)
  await profile.context.close()
})

it('says why a connector needs somebody, and leads to what helps', async () => {
  const { profile, page } = await signIn(service, browser, 'broken')
  const token = await service.token({ tenant: 'broken' })
  const path = `${connectorsPath}/${await connectAccount(service, { token })}`
  assert.ok((await service.call('DELETE', `${path}/proxy/access`, { token })).ok)
  await service.call('GET', `${path}/proxy/profile`, { token })
  await page.goto(`${service.url}/connectors?status=reauth_required`)
  await page.getByRole('row').getByRole('link').click()
  await page.getByRole('definition').getByText('Needs a person: invalid grant').waitFor()
  const opening = profile.context.waitForEvent('page')
  await page.getByRole('link', { name: 'What this means' }).click()
  const guide = await opening
  await guide.waitForLoadState()
  const [, anchor = ''] = guide.url().split('#')
  assert.equal(await guide.locator(`[id="${anchor}"]`).count(), 1)
  await guide.getByRole('row').getByText('The provider does not know the refresh token any more.').waitFor()
  await profile.context.close()
})

it('names providers as people do, and leads from each event of a connector to it, also after its end', async () => {
  const { profile, page } = await signIn(service, browser, 'names')
  const token = await service.token({ tenant: 'names' })
  const id = await connectAccount(service, { token })
  const path = `${connectorsPath}/${id}`
  assert.equal((await service.call('POST', `${path}/token`, { token })).status, 200)
  assert.equal((await service.call('DELETE', path, { token })).status, 202)
  await page.goto(`${service.url}/connectors`)
  await page.getByRole('row').getByText('Sandbox', { exact: true }).waitFor()
  await page.goto(`${service.url}/events`)
  for (const type of ['connector.connected', 'token.exported', 'connector.disconnected', 'connector.revoked']) {
    const row = page.getByRole('row').filter({ hasText: type })
    await row.getByRole('link', { name: id }).click()
    await page.getByRole('heading', { name: 'ada', level: 1 }).waitFor()
    assert.match(page.url(), new RegExp(`/connectors/[^/]+/[^/]+/${id}$`), type)
    await page.getByText('destroyed here at the disconnect').waitFor()
    await page.goBack()
  }
  const moment = page.getByRole('row').filter({ hasText: 'token.exported' }).locator('time').first()
  const written = await moment.getAttribute('datetime')
  assert.match(written ?? '', /^\d{4}-\d\d-\d\dT.*Z$/)
  assert.equal(await moment.getAttribute('title'), written)
  assert.match(await moment.innerText(), /^\d{1,2} \w{3,4} \d{4}, \d\d:\d\d:\d\d$/)
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('adds a provider of one’s own by its issuer alone, and says what is wrong with another', async () => {
  const { profile, page } = await signIn(service, browser, 'own')
  await page.goto(`${service.url}/providers/add`)
  await page.getByLabel('Name').fill('Acme ID')
  await page.getByLabel('Issuer').fill('https://id.invalid')
  await page.getByRole('button', { name: 'Add the provider' }).click()
  await page.getByRole('alert').getByText('discovery_failed').waitFor()
  await page.getByLabel('Issuer').fill(service.sandbox.issuer)
  await page.getByRole('button', { name: 'Add the provider' }).click()
  await page.getByRole('heading', { name: 'Acme ID', level: 1 }).waitFor()
  assert.match(page.url(), /\/providers\/c-/)
  await profile.context.close()
})

it('adds a webhook, shows its secret once, tests it, and replays a delivery', async () => {
  const { profile, page } = await signIn(service, browser, 'hooks')
  await page.goto(`${service.url}/webhooks`)
  await page.getByRole('button', { name: 'Add an endpoint' }).click()
  await page.getByLabel('URL').fill(receiver.url)
  await page.getByRole('dialog').getByRole('button', { name: 'Add' }).click()
  await page.getByText(/^whsec_/).waitFor()
  await page.getByRole('button', { name: 'I have it' }).click()
  await connectAccount(service, { token: await service.token({ tenant: 'hooks' }) })
  await page.getByRole('row').getByRole('link', { name: receiver.url }).click()
  await page.getByRole('button', { name: 'Send a test' }).click()
  await page.getByText('The test was delivered: 204').waitFor()
  const row = page.getByRole('row').filter({ hasText: 'connector.connected' })
  const deliveries = (): number => receiver.received.filter(({ type }) => type === 'connector.connected').length
  for (let looks = 0; looks < 40 && !(await row.getByText('Delivered').isVisible()); looks += 1) {
    await Promise.all([page.waitForResponse(/deliveries/), page.getByRole('button', { name: 'Refresh' }).click()])
  }
  const sent = deliveries()
  await row.getByRole('button', { name: /^Replay/ }).click()
  for (let looks = 0; looks < 40 && deliveries() === sent; looks += 1) {
    await Promise.all([page.waitForResponse(/deliveries/), page.getByRole('button', { name: 'Refresh' }).click()])
  }
  assert.ok(deliveries() > sent, 'nothing was sent again')
  assert.doesNotMatch(await page.content(), /whsec_/)
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('narrows the connectors, follows what happens to them, pauses several at once, and keeps all of it in the address', async () => {
  const { profile, page } = await signIn(service, browser, 'many')
  const token = await service.token({ tenant: 'many' })
  for (let count = 0; count < 3; count += 1) await connectAccount(service, { token })
  await page.goto(`${service.url}/connectors`)
  await page.getByText('3 rows').waitFor()
  await page.getByText('Live', { exact: true }).waitFor()
  await connectAccount(service, { token })
  await page.getByText('4 rows').waitFor()
  const choices = page.getByRole('checkbox', { name: /^Choose ada/ })
  await choices.nth(0).check()
  await choices.nth(1).check()
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByText('Paused: 2.').waitFor()
  await page.getByRole('combobox', { name: 'Status' }).selectOption('paused')
  await page.getByText('2 rows').waitFor()
  assert.equal(page.url(), `${service.url}/connectors?status=paused`)
  await page.reload()
  await page.getByText('2 rows').waitFor()
  assert.equal(await page.getByRole('combobox', { name: 'Status' }).inputValue(), 'paused')
  await profile.context.close()
})

it('gives an order of the kill switch only after it was confirmed in words, and shows its end', async () => {
  const { profile, page } = await signIn(service, browser, 'kill')
  await connectAccount(service, { token: await service.token({ tenant: 'kill' }) })
  await page.goto(`${service.url}/connectors/kill-switch`)
  const provider = page.getByLabel('Provider')
  await provider.getByRole('option', { name: 'Sandbox (1)' }).waitFor({ state: 'attached' })
  // Nothing of a provider without accounts could be disconnected.
  assert.deepEqual(await provider.getByRole('option').allInnerTexts(), ['Every provider', 'Sandbox (1)'])
  await provider.selectOption('sandbox')
  await page.getByRole('button', { name: 'Disconnect them …' }).click()
  const order = page.getByRole('dialog').getByRole('button', { name: 'Disconnect them' })
  assert.equal(await order.isEnabled(), false)
  await page.getByRole('dialog').getByText('Every connector at Sandbox', { exact: true }).waitFor()
  await page.getByLabel('Type “disconnect” to go on').fill('disconnect')
  await order.click()
  await page.getByText('Completed').waitFor()
  await page.getByRole('row').getByText('Revoked').waitFor()
  const body = { principal_id: 'nobody' }
  const token = await service.token({ tenant: 'kill' })
  service.clock.advance(1_000)
  assert.equal((await service.call('POST', '/v1/admin/revocations', { token, body })).status, 202)
  await page.goto(`${service.url}/connectors/kill-switch`)
  const orders = page.getByRole('table', { name: 'Orders' }).getByRole('row')
  await orders.nth(2).waitFor()
  assert.match(await orders.nth(1).innerText(), /nobody/)
  await profile.context.close()
})

it('searches the record, exports it, and tells how to verify it', async () => {
  const { profile, page } = await signIn(service, browser, 'record')
  await page.goto(`${service.url}/audit?action=login_link.used`)
  await page.getByText('1 row', { exact: true }).waitFor()
  await page.getByText('Verify an export').click()
  await page.getByText(/^npx connector-oauth audit verify --file audit\.jsonl --public-key /).waitFor()
  const saving = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Export the record' }).click()
  assert.match((await saving).suggestedFilename(), /^audit-.*\.jsonl$/)
  await profile.context.close()
})

it('rotates the data key, and registers a landing page', async () => {
  const { profile, page } = await signIn(service, browser, 'keys')
  await connectAccount(service, { token: await service.token({ tenant: 'keys' }) })
  // A second rotation within moments of the first would be taken for a repeated click.
  service.clock.advance(10 * 60_000)
  await page.goto(`${service.url}/keys`)
  await page.getByText('Epoch 1').waitFor()
  await page.getByRole('button', { name: 'Rotate the data key' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click()
  await page.getByText('Epoch 2').first().waitFor()
  await page.goto(`${service.url}/settings`)
  await page.getByLabel('URI', { exact: true }).fill('https://app.example.com/#x')
  await page.getByRole('button', { name: 'Add' }).click()
  await page.getByRole('alert').waitFor()
  await page.getByLabel('URI', { exact: true }).fill('https://app.example.com/connected')
  await page.getByRole('button', { name: 'Add' }).click()
  await page
    .getByRole('list', { name: 'Registered redirect URIs' })
    .getByText('https://app.example.com/connected')
    .waitFor()
  await profile.context.close()
})
