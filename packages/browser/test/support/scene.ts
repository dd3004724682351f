import assert from 'node:assert/strict'
import type { Browser, BrowserContext, Frame, Page } from 'puppeteer-core'
import { collectionId, spaceId, startTestService, type TestService } from '../../../server/test/support/service.ts'
import { startApp, type App } from './app.ts'
import { opened, openProfile, until } from './browsers.ts'

/** One service and one app for all cases of a file. */
export interface Stage extends AsyncDisposable {
  readonly app: App
  readonly service: TestService
}

export async function setStage(): Promise<Stage> {
  await using started = new AsyncDisposableStack()
  const app = started.use(await startApp())
  const service = started.use(await startTestService())
  const registered = await service.call('PUT', '/v1/admin/tenant/redirect-uris', {
    body: [{ uri: app.landingPage, kind: 'landing' }],
  })
  assert.equal(registered.status, 200, await registered.text())
  const running = started.move()
  return { app, service, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** What a page shows in the end. */
export interface Shown {
  readonly connectorId?: string
  readonly via?: string
  readonly kind?: string
  readonly name?: string
  readonly reason?: string
  readonly code?: string
  readonly message?: string
  readonly url?: string
  readonly account?: { readonly name?: string }
  readonly missingScopes?: readonly string[]
}

/** A signed-in person at the app, and what they do there. */
export interface Person {
  readonly context: BrowserContext
  /** The app's page, told what to connect besides the usual. */
  open(more?: Readonly<Record<string, unknown>>, path?: string): Promise<Page>
  /** Clicks; answers the window that opens, at the sandbox's page. */
  click(page: Page | Frame): Promise<Page>
}

export async function personAt(
  stage: Stage,
  browser: Browser,
  account: { readonly subject?: string; readonly signedIn?: false } = {},
): Promise<Person> {
  const context = await openProfile(browser)
  const token = account.signedIn === false ? undefined : await stage.service.token({ sub: account.subject ?? 'ada' })
  return {
    context,
    async open(more = {}, path = '/') {
      const page = await context.newPage()
      await page.goto(stage.app.origin + path)
      await tell(stage, page, token, more)
      return page
    },
    async click(page) {
      const popup = await opened(context, () => page.click('#connect'))
      await until(popup, atSandbox)
      return popup
    },
  }
}

/** Signs a page's origin in and tells the page what to connect. */
export async function tell(
  stage: Stage,
  page: Page | Frame,
  token: string | undefined,
  more: Readonly<Record<string, unknown>>,
): Promise<void> {
  await until(page, ready)
  const account = JSON.stringify({ baseUrl: stage.service.url, token })
  // With `providers` the user picks one on the Connect page.
  const provider = 'providers' in more ? {} : { provider: 'sandbox' }
  const request = JSON.stringify({ ...provider, spaceId, collectionId })
  await page.evaluate(`localStorage.setItem('account', ${JSON.stringify(account)});
    localStorage.setItem('request', ${JSON.stringify(request)}); window.more = ${JSON.stringify(more)}`)
}

const ready = `document.documentElement.dataset.ready === ''`
export const atSandbox = `document.querySelector('input[name=login], button[value=allow]') !== null`

/** Signs in at the sandbox, where that is asked for, and decides; the window is on its way then. */
export async function consent(
  window: Page,
  decision: 'allow' | 'deny' = 'allow',
  login = 'ada',
  leftOut?: string,
): Promise<void> {
  await until(window, atSandbox)
  if (await window.evaluate(`document.querySelector('input[name=login]') !== null`)) {
    await window.evaluate(
      `document.querySelector('input[name=login]').value = ${JSON.stringify(login)};
       setTimeout(() => document.querySelector('form').requestSubmit())`,
    )
    await until(window, `document.querySelector('button[value=allow]') !== null`)
  }
  if (leftOut !== undefined) await window.click(`input[name=scope][value="${leftOut}"]`)
  await window.evaluate(`setTimeout(() => document.querySelector('button[value=${decision}]').click())`)
}

/** Waits until the landing page asks, as it does where this tab did not begin, and takes an answer. */
export async function untilAsked(page: Page): Promise<void> {
  await until(page, `document.querySelector('dialog[open] button:last-of-type')?.ariaDisabled === 'false'`)
}

/** Says yes to it, or no. */
export async function answer(page: Page, decision: 'yes' | 'no'): Promise<void> {
  await untilAsked(page)
  // By script, since nobody can click in a tab that others cover.
  await page.evaluate(
    `document.querySelector('dialog[open] button:${decision === 'yes' ? 'last' : 'first'}-of-type').click()`,
  )
}

export async function shown(page: Page | Frame): Promise<Shown> {
  await until(page, `(document.getElementById('result')?.textContent ?? '') !== ''`)
  return JSON.parse(String(await page.evaluate(`document.getElementById('result').textContent`))) as Shown
}

/** The connector is there, and active. */
export async function assertConnected(stage: Stage, { connectorId, reason, message }: Shown): Promise<void> {
  assert.ok(connectorId, `${reason}: ${message}`)
  const path = `/v1/spaces/${spaceId}/collections/${collectionId}/connectors/${connectorId}`
  const { data } = (await (await stage.service.call('GET', path)).json()) as { data: { status: string } }
  assert.equal(data.status, 'active')
}
