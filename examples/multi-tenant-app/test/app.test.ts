import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { ConnectorOAuth, signToken } from '@connector-oauth/node'
import type { Browser, Page } from 'playwright-core'
import { launchChromium, openProfile, type Profile } from '../../../packages/server/test/browser/support/chromium.ts'
import { compileCache } from '../../../packages/server/test/support/compile-cache.ts'
import { freePort } from '../../../packages/server/test/support/service.ts'
import { createTestDatabase, type TestDatabase } from '../../../packages/server/test/support/test-database.ts'
import { users } from '../src/people.ts'

const start = path.join(import.meta.dirname, '../src/start.ts')
const secret = randomBytes(32).toString('base64url')

let database: TestDatabase
let dataDir: string
let example: ChildProcess
let origin: string
let service: string
let browser: Browser

before(async () => {
  database = await createTestDatabase()
  dataDir = await mkdtemp(path.join(tmpdir(), 'connector-oauth-example-'))
  const [port, servicePort] = [await freePort(), await freePort()]
  service = `http://localhost:${servicePort}`
  example = spawn(process.execPath, [start], {
    cwd: dataDir,
    env: {
      ...compileCache,
      PATH: process.env['PATH'],
      EXAMPLE_PORT: String(port),
      EXAMPLE_SERVICE_PORT: String(servicePort),
      AUTH_JWT_SECRET: secret,
      DATABASE_URL: database.databaseUrl,
      DATA_DIR: dataDir,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  origin = await printedAddress(example)
  browser = await launchChromium()
})
after(async () => {
  await browser?.close()
  if (example?.exitCode === null) example.kill('SIGKILL')
  await database?.drop()
  await rm(dataDir, { recursive: true, force: true })
})

async function printedAddress(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout)
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /The example app runs on (\S+)/.exec(line)?.[1]
    if (found !== undefined) return found
  }
  throw new Error('The example ended without printing its address')
}

interface Visitor {
  readonly profile: Profile
  readonly page: Page
}

/** A person with a browser of their own, signed in at the app. */
async function visit(name: string): Promise<Visitor> {
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  await page.goto(origin)
  await page.getByRole('button', { name: `Sign in as ${name}` }).click()
  await page.getByRole('heading', { name: 'Connected accounts' }).waitFor()
  return { profile, page }
}

/** Presses a button that opens the popup, and consents there; `login` where the provider does not know the browser yet. */
async function consentAfter(page: Page, button: string, login?: string): Promise<void> {
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.getByRole('button', { name: button }).click()])
  if (login !== undefined) {
    await popup.getByLabel('User name').fill(login)
    await popup.getByRole('button', { name: 'Sign in' }).click()
  }
  const closed = popup.waitForEvent('close')
  await popup.getByRole('button', { name: 'Allow' }).click({ noWaitAfter: true })
  await closed
}

/** The provider's own word on a token (RFC 7662). */
async function isAlive(token: string): Promise<boolean> {
  const clientSecret = (await readFile(path.join(dataDir, 'sandbox-client-secret'), 'utf8')).trim()
  const sandboxPort = (await readFile(path.join(dataDir, 'sandbox-port'), 'utf8')).trim()
  const reply = await fetch(`http://localhost:${sandboxPort}/token/introspection`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`connector-oauth:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ token }),
  })
  assert.equal(reply.status, 200)
  return ((await reply.json()) as { active: boolean }).active
}

/** The access token behind a user's only connector; looked at from outside, since the app never has one. */
async function tokenOf(userId: string): Promise<string> {
  const user = users.find(({ id }) => id === userId)
  assert.ok(user)
  const authorization = signToken({
    secret,
    subject: user.id,
    tenantId: user.tenant.id,
    scope: ['connectors:read', 'connectors:token'],
  })
  const connectors = new ConnectorOAuth({ baseUrl: service, authorization }).connectors({
    spaceId: user.tenant.spaceId,
    collectionId: user.collectionId,
  })
  const { data } = await connectors.list().page()
  const [only] = data
  assert.ok(only !== undefined && data.length === 1)
  return (await connectors.connector(only.id).getAccessToken()).access_token
}

describe('the example app', () => {
  it('lets users of two tenants connect and use accounts, tells them when one breaks, and ends it', async () => {
    const [ada, grace] = await Promise.all([visit('Ada'), visit('Grace')])

    await consentAfter(ada.page, 'Connect a sandbox account', 'ada-at-work')
    await ada.page.getByText('sandbox: ada-at-work').waitFor()
    await consentAfter(grace.page, 'Connect a sandbox account', 'grace')
    await grace.page.getByText('sandbox: grace').waitFor()

    // Each uses the own account, and neither sees or reaches the other's.
    await ada.page.getByRole('button', { name: 'Show profile' }).click()
    await ada.page.getByText('The provider says: Ada At Work, ada-at-work@sandbox.example').waitFor()
    assert.equal(await ada.page.getByRole('listitem').count(), 1)
    assert.equal(await grace.page.getByText('ada').count(), 0)
    const adasForm = await ada.page.locator('form[action$="/profile"]').getAttribute('action')
    const reply = await grace.page.request.post(`${origin}${adasForm ?? ''}`)
    assert.match(await reply.text(), /There is no such account of yours/)

    // Broken at the provider: found out at the next use, told by webhook, shown without anybody loading the page.
    await ada.page.getByRole('button', { name: 'Remove access at the provider' }).click()
    await ada.page.getByText('Nobody here knows yet').waitFor()
    assert.equal(await ada.page.getByRole('alert').getByRole('button', { name: 'Reconnect' }).count(), 0)
    const elsewhere = await ada.profile.newPage()
    await elsewhere.goto(origin)
    await ada.page.getByRole('button', { name: 'Show profile' }).click()
    await elsewhere.getByRole('alert').getByText('has to be connected again').waitFor()
    assert.equal(await grace.page.getByText('has to be connected again').count(), 0)

    // In words, with nothing to press but what helps; said to the window that asked, until it has connected again.
    const words = 'The provider no longer lets us in. Connect the account again.'
    await ada.page.getByRole('status').getByText(words).waitFor()
    await ada.page.getByRole('alert').getByRole('button', { name: 'Reconnect' }).waitFor()
    assert.doesNotMatch(await ada.page.locator('main').innerText(), /reauth_required|invalid_grant|401/)
    assert.equal(await ada.page.getByRole('button', { name: 'Show profile' }).count(), 0)
    assert.equal(await elsewhere.getByText(words).count(), 0)

    await consentAfter(ada.page, 'Reconnect')
    await ada.page.getByRole('listitem').getByText('Connected', { exact: true }).waitFor()
    assert.equal(await ada.page.getByText(words).count(), 0)
    await elsewhere.getByRole('listitem').getByText('Connected', { exact: true }).waitFor()
    assert.equal(await elsewhere.getByText('has to be connected again').count(), 0)
    await elsewhere.getByRole('button', { name: 'Show profile' }).click()
    await elsewhere.getByText('The provider says: Ada At Work').waitFor()

    // Disconnected: gone here at once, and dead at the provider soon after.
    const token = await tokenOf('ada')
    assert.equal(await isAlive(token), true)
    await elsewhere.getByRole('button', { name: 'Disconnect' }).click()
    await elsewhere.getByText('Disconnected. The tokens are destroyed.').waitFor()
    assert.equal(await elsewhere.getByRole('listitem').count(), 0)
    const deadline = Date.now() + 15_000
    while ((await isAlive(token)) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(await isAlive(token), false)
    assert.deepEqual([...ada.profile.complaints, ...grace.profile.complaints], [])
    await grace.page.reload()
    assert.equal(await grace.page.getByText('sandbox: grace').count(), 1)
  })

  it('takes no webhook that the service has not signed, and gives no token to who is not signed in', async () => {
    const forged = JSON.stringify({ type: 'connector.disconnected', timestamp: new Date().toISOString(), data: {} })
    const headers = {
      'content-type': 'application/json',
      'webhook-id': 'evt_1',
      'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
      'webhook-signature': 'v1,AAAA',
    }
    for (const tenant of ['acme', 'gone']) {
      const reply = await fetch(`${origin}/hooks/${tenant}`, { method: 'POST', headers, body: forged })
      assert.equal(reply.status, 401, tenant)
    }
    assert.equal((await fetch(`${origin}/token`)).status, 401)
  })

  it('ends with Ctrl+C, and its service with it', async () => {
    const ended = new Promise<number | null>((resolve) => example.once('exit', (code) => resolve(code)))
    example.kill('SIGINT')
    assert.equal(await ended, 0)
    await assert.rejects(fetch(`${service}/health/live`))
    await assert.rejects(fetch(origin))
  })
})
