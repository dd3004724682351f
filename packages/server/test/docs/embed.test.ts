import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { assertAccessible } from '../browser/support/accessible.ts'
import { launchChromium, openProfile } from '../browser/support/chromium.ts'
import { consentIn } from '../browser/support/journey.ts'
import { collectionId, freePort, spaceId, startTestService, type TestService } from '../support/service.ts'
import { root, snippetsOf } from './support/snippets.ts'

/** The addresses that the pages name, which are these here. */
const exampleService = 'https://connectors.example.com'
const exampleApp = 'https://app.example.com'

let browser: Browser
before(async () => {
  browser = await launchChromium()
})
after(() => browser?.close())

/** A page's blocks that run in a browser, as they stand but for the addresses. */
function htmlOf(page: string, service: string, app: string): readonly string[] {
  return snippetsOf(page)
    .filter(({ language, mark }) => language === 'html' && mark === 'run')
    .map(({ code }) => code.replaceAll(exampleService, service).replaceAll(exampleApp, app))
}

function asPage(block: string, token: string): string {
  const platform = `<script>window.yourToken = async () => ${JSON.stringify(token)}</script>`
  return `<!doctype html><html lang="en"><title>App</title><link rel="icon" href="data:,">${platform}<main><h1>App</h1>${block}</main></html>`
}

async function listen(server: Server, port: number): Promise<AsyncDisposable> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A platform whose page is the first block of a page of the guides, and whose landing page is the second. */
async function startPlatform(
  page: string,
  more: Readonly<Record<string, string>> = {},
): Promise<AsyncDisposable & { readonly origin: string; readonly service: TestService }> {
  const port = await freePort()
  // To a browser another site than `localhost`, where the service is.
  const origin = `http://127.0.0.1:${port}`
  const service = await startTestService({
    env: { ALLOWED_ORIGINS: origin, ALLOWED_REDIRECT_URIS: `${origin}/connected`, ...more },
  })
  const [app = '', landing = ''] = htmlOf(page, service.url, origin)
  assert.ok(app.includes(service.url) && landing.includes(service.url), `${page} names other addresses`)
  const token = await service.token()
  const server = createServer(({ url }, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(asPage(url?.startsWith('/connected') === true ? landing : app, token))
  })
  const listening = await listen(server, port)
  return {
    origin,
    service,
    async [Symbol.asyncDispose]() {
      await listening[Symbol.asyncDispose]()
      await service[Symbol.asyncDispose]()
    },
  }
}

async function popupOf(page: Page): Promise<Page> {
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.click('#connect')])
  return popup
}

describe('the pages that the guides tell to write', () => {
  it('connect an account through a popup and a landing page, in plain JavaScript', async () => {
    await using platform = await startPlatform('docs/embed-plain-js.md')
    const profile = await openProfile(browser)
    const page = await profile.newPage()
    await page.goto(platform.origin)
    const popup = await popupOf(page)
    const closed = popup.waitForEvent('close')
    await consentIn(popup)
    await page.getByText(/^Connected as conn_/).waitFor()
    await closed
    assert.deepEqual(profile.complaints, [])
    // The same page says so when the user does not allow it.
    const [again] = await Promise.all([page.waitForEvent('popup'), page.click('#connect')])
    await again.getByRole('button', { name: 'Deny' }).click({ noWaitAfter: true })
    await page.getByText('Not connected: denied').waitFor()
    await profile.context.close()
  })

  it('connect an account by redirect, and ask again for what the user left out', async () => {
    await using platform = await startPlatform('docs/embed-redirect.md')
    const profile = await openProfile(browser)
    const page = await profile.newPage()
    await page.goto(platform.origin)
    await page.click('#connect')
    await page.getByLabel('User name').fill('ada')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByLabel(/e-mail/).uncheck()
    await page.getByRole('button', { name: 'Allow' }).click({ noWaitAfter: true })
    await page.getByText('Connected as ada, without email').waitFor()
    assert.equal(page.url(), `${platform.origin}/connected`)
    // Asked again, the user allows the rest.
    await page.getByRole('button', { name: 'Ask again' }).click()
    await page.getByRole('button', { name: 'Allow' }).click({ noWaitAfter: true })
    await page.getByText('Connected as ada', { exact: true }).waitFor()
    assert.deepEqual(profile.complaints, [])
    await profile.context.close()
  })

  it('connect an account by a link that is opened elsewhere, once the user has said yes to an accessible question', async () => {
    await using platform = await startPlatform('docs/embed-redirect.md')
    const reply = await platform.service.call('POST', '/v1/connect-sessions', {
      body: {
        space_id: spaceId,
        collection_id: collectionId,
        providers: ['sandbox'],
        mode: 'link',
        redirect_uri: `${platform.origin}/connected`,
      },
    })
    const { data } = (await reply.json()) as { data: { connect_url: string } }
    const profile = await openProfile(browser)
    const page = await profile.newPage()
    await page.goto(data.connect_url)
    await page.getByRole('button', { name: 'Yes, continue' }).click()
    await page.getByRole('button', { name: /^Continue to/ }).click()
    await consentIn(page)
    const question = page.getByRole('dialog', { name: 'Connect this sandbox account?' })
    await question.waitFor()
    assert.equal(await page.locator(':focus').textContent(), 'Cancel')
    await question.getByRole('button', { name: 'Yes, it is mine', disabled: false }).waitFor()
    await assertAccessible(page, { wide: 900, narrow: 320 })
    await question.getByRole('button', { name: 'Yes, it is mine' }).click()
    await page.getByText('Connected as ada', { exact: true }).waitFor()
    assert.equal(await question.count(), 0)
    assert.deepEqual(profile.complaints, [])
    await profile.context.close()
  })

  it('connect an account behind the same-origin proxy that they show', async () => {
    const port = await freePort()
    const origin = `http://127.0.0.1:${port}`
    await using service = await startTestService({ env: { PUBLIC_URL: `${origin}/api-proxy` } })
    const guide = 'docs/embed-same-origin-proxy.md'
    const token = await service.token()
    const [html = ''] = htmlOf(guide, service.url, origin)
    Object.assign(globalThis, {
      tokenOfSession: async (cookie: string | undefined) => (cookie === 'session=ada' ? token : undefined),
      yourApp: (_incoming: IncomingMessage, outgoing: ServerResponse) =>
        outgoing.setHeader('set-cookie', 'session=ada; HttpOnly; SameSite=Lax').end(asPage(html, '')),
    })
    await using proxy = await runProxy(guide, service.url, port)
    assert.ok(proxy)
    const profile = await openProfile(browser)
    const page = await profile.newPage()
    await page.goto(origin)
    await consentIn(await popupOf(page))
    await page.getByText('Connected', { exact: true }).waitFor()
    assert.deepEqual(profile.complaints, [])
    await profile.context.close()
    const reply = await fetch(`${origin}/api-proxy/v1/connector-providers`, { headers: { cookie: 'session=ada' } })
    assert.equal(reply.status, 403)
  })
})

/** Runs the proxy of the guide as it stands, but for the addresses. */
async function runProxy(guide: string, service: string, port: number): Promise<AsyncDisposable> {
  const code = snippetsOf(guide).find(({ language }) => language === 'ts')?.code ?? ''
  assert.ok(code.includes('http://connectors.internal:3000') && code.includes('.listen(8080)'))
  const folder = await mkdtemp(path.join(root, 'tmp', 'proxy-'))
  const file = path.join(folder, 'proxy.ts')
  const runnable = code
    .replace('http://connectors.internal:3000', service)
    .replace('createServer((', 'export const server = createServer((')
    .replace('.listen(8080)', `.listen(${port}, '127.0.0.1')`)
  await writeFile(file, runnable)
  const { server } = (await import(pathToFileURL(file).href)) as { server: Server }
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
