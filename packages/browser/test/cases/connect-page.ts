import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'puppeteer-core'
import { opened, until } from '../support/browsers.ts'
import { severing, type Scene } from '../support/matrix-scene.ts'
import type { RowName } from '../support/rows.ts'
import { answer, atSandbox, consent, personAt, shown, type Person, type Shown } from '../support/scene.ts'

/** The rows in which the user comes by the service's Connect page, or by a link to it. */

type Rows = Extract<RowName, `page${string}` | `link${string}`>

/** The user chooses among these. */
const providers = ['sandbox', 'github']
const oneMore = 'email'

/** Clicks the button with these words, once it is there. */
async function press(page: Page, words: string): Promise<void> {
  const button = await page.waitForSelector(`::-p-xpath(//button[contains(., "${words}")])`)
  await button?.click()
}

/** Picks the sandbox and sees what is shared; the next click goes to the provider. */
async function pick(page: Page): Promise<void> {
  await press(page, 'Sandbox')
  await page.waitForSelector('button.main')
}

async function openPage({ person, more }: Scene, also: object = {}): Promise<{ app: Page; connectPage: Page }> {
  const app = await person.open({ ...more, providers, ...also })
  const connectPage = await opened(person.context, () => app.click('#connect'))
  await pick(connectPage)
  return { app, connectPage }
}

/** The window that the Connect page opens for the provider. */
async function providersWindow({ person }: Scene, connectPage: Page, words: string): Promise<Page> {
  const provider = await opened(person.context, () => press(connectPage, words))
  await until(provider, atSandbox)
  return provider
}

async function byPage(scene: Scene): Promise<Shown> {
  const { app, connectPage } = await openPage(scene)
  await consent(await providersWindow(scene, connectPage, 'Continue to'))
  return shown(app)
}

/** Up to the offer to ask again, which the app waits out. */
async function leftOut(scene: Scene): Promise<{ app: Page; connectPage: Page }> {
  const { app, connectPage } = await openPage(scene)
  await consent(await providersWindow(scene, connectPage, 'Continue to'), 'allow', 'ada', oneMore)
  await until(connectPage, `document.querySelector('.scopes.missing, .technical') !== null`)
  assert.equal(await app.evaluate(`document.getElementById('result').textContent`), '')
  return { app, connectPage }
}

async function askedAgain(scene: Scene, { app, connectPage }: Awaited<ReturnType<typeof leftOut>>): Promise<Shown> {
  await consent(await providersWindow(scene, connectPage, 'Ask again'))
  const result = await shown(app)
  assert.deepEqual([result.missingScopes, result.account?.name], [[], 'ada'])
  await until(connectPage, `document.querySelector('h1').textContent === 'Sandbox is connected'`)
  return result
}

/** It looks every second, so by then it knows what is missing. */
async function assertStillWaits(app: Page): Promise<void> {
  await sleep(2_500)
  assert.equal(await app.evaluate(`document.getElementById('result').textContent`), '')
}

async function linkOf({ person, more }: Scene): Promise<string> {
  const page = await person.open({ ...more, providers })
  await page.click('#link')
  const { url } = await shown(page)
  assert.ok(url)
  return url
}

/** Opens a link as `person`, who is signed in to the app in that browser, up to the provider's page. */
async function follow(url: string, { context }: Pick<Person, 'context'>): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  await press(page, 'Yes, continue')
  await pick(page)
  await press(page, 'Continue to')
  await until(page, atSandbox)
  return page
}

/** Consents, and says yes on the landing page. */
async function finish(page: Page): Promise<Shown> {
  await consent(page)
  await answer(page, 'yes')
  return shown(page)
}

async function elsewhere(scene: Scene, subject: string): Promise<Shown> {
  const url = await linkOf(scene)
  const other = await personAt(scene.stage, scene.browser, { subject })
  try {
    await other.open()
    return await finish(await follow(url, other))
  } finally {
    await other.context.close()
  }
}

export const connectPageCases: Readonly<Record<Rows, (scene: Scene) => Promise<Shown>>> = {
  page: byPage,
  pageSevered: (scene) => severing(scene, () => byPage(scene)),
  pageLanding: (scene) =>
    severing(scene, async () => {
      // With a landing page everything happens in one window.
      const { app, connectPage } = await openPage(scene)
      await press(connectPage, 'Continue to')
      await consent(connectPage)
      return shown(app)
    }),
  async pageBlocked(scene) {
    const { app, connectPage } = await openPage(scene)
    await connectPage.evaluate('window.open = () => null')
    await press(connectPage, 'Continue to')
    await press(connectPage, 'Continue in this window')
    await consent(connectPage)
    return shown(app)
  },
  async pageClosed(scene) {
    const { app, connectPage } = await openPage(scene, { closedGraceMs: 300 })
    await connectPage.close()
    await app.bringToFront()
    return shown(app)
  },
  async pageOpenedAgain(scene) {
    const { app, connectPage } = await openPage(scene)
    await (await providersWindow(scene, connectPage, 'Continue to')).close()
    await consent(await providersWindow(scene, connectPage, 'Open the window again'))
    return shown(app)
  },
  pageAskedAgain: async (scene) => askedAgain(scene, await leftOut(scene)),
  async pageAskedAgainAfterReload(scene) {
    const pages = await leftOut(scene)
    await pages.app.reload()
    await assertStillWaits(pages.app)
    return askedAgain(scene, pages)
  },
  async pageLeftOutAfterReload(scene) {
    const { app, connectPage } = await leftOut(scene)
    await app.reload()
    await assertStillWaits(app)
    await connectPage.evaluate(`setTimeout(() => window.close())`)
    const result = await shown(app)
    assert.deepEqual(result.missingScopes, [oneMore])
    return result
  },
  async pageLeftOut(scene) {
    const { app, connectPage } = await leftOut(scene)
    await consent(await providersWindow(scene, connectPage, 'Ask again'), 'deny')
    await press(connectPage, 'Leave it so')
    const result = await shown(app)
    assert.deepEqual(result.missingScopes, [oneMore])
    return result
  },
  async pageRedirect({ stage, person, more }) {
    const page = await person.open({ ...more, providers })
    await page.goto(`${stage.app.origin}/?auto`)
    assert.equal((await shown(page)).reason, 'blocked')
    await page.evaluate(`window.more = ${JSON.stringify({ ...more, providers })}`)
    await page.click('#leave')
    await pick(page)
    await press(page, 'Continue to')
    await consent(page)
    await until(page, `location.pathname === '/landing'`)
    return shown(page)
  },
  async link(scene) {
    const url = await linkOf(scene)
    await (await follow(url, scene.person)).close()
    return finish(await follow(url, scene.person))
  },
  linkElsewhere: (scene) => severing(scene, () => elsewhere(scene, 'ada')),
  linkStranger: (scene) => elsewhere(scene, 'grace'),
}
