import assert from 'node:assert/strict'
import { before, it } from 'node:test'
import { KnownDevices, type Frame, type Page } from 'puppeteer-core'
import { opened, until, untilClosed, type BrowserName } from '../support/browsers.ts'
import { severing, type Scene } from '../support/matrix-scene.ts'
import type { Playing } from '../support/playing.ts'
import { rows, type Row, type RowName } from '../support/rows.ts'
import { connectPageCases } from './connect-page.ts'
import {
  answer,
  assertConnected,
  atSandbox,
  consent,
  personAt,
  shown,
  tell,
  type Shown,
  type Stage,
} from '../support/scene.ts'

async function finish({ asks }: Scene, window: Page): Promise<void> {
  await consent(window)
  if (asks) await answer(window, 'yes')
}

async function play(scene: Scene, onWindow?: (popup: Page, page: Page) => Promise<void>, path = '/'): Promise<Shown> {
  const page = await scene.person.open(scene.more, path)
  const popup = await scene.person.click(page)
  await onWindow?.(popup, page)
  await finish(scene, popup)
  const result = await shown(page)
  // Told by nobody, the landing page finished by itself, and has something to show.
  if (result.connectorId !== undefined && result.via !== 'status') await untilClosed(popup)
  return result
}

async function twoAtOnce(scene: Scene): Promise<Shown> {
  const first = await scene.person.open(scene.more)
  const firstWindow = await scene.person.click(first)
  // Of one page: both windows answer to the same listeners.
  await first.evaluate(`document.getElementById('result').id = 'first'`)
  await first.evaluate(`document.body.append(Object.assign(document.createElement('p'), { id: 'result' }))`)
  const secondWindow = await scene.person.click(first)
  await consent(secondWindow)
  const two = await shown(first)
  await untilClosed(secondWindow)
  await first.evaluate(`document.getElementById('result').textContent = ''`)
  await consent(firstWindow)
  const one = await shown(first)
  assert.notEqual(one.connectorId, two.connectorId)
  assert.equal(one.via, two.via)
  await assertConnected(scene.stage, two)
  return one
}

/** The app's page in a frame of another site's page, where storage is apart from the app's own. */
async function openFramed({ stage, person, more }: Scene): Promise<Frame> {
  // The landing page's own storage: the user is signed in to the app.
  await (await person.open()).close()
  const host = await person.context.newPage()
  await host.goto(stage.app.host)
  const frame = host.frames().find((one) => one.url().startsWith(stage.app.origin))
  assert.ok(frame)
  await tell(stage, frame, await stage.service.token(), more)
  return frame
}

async function framed(scene: Scene): Promise<Shown> {
  const frame = await openFramed(scene)
  await finish(scene, await scene.person.click(frame))
  return shown(frame)
}

async function redirected(scene: Scene, onWay?: (page: Page) => Promise<void>): Promise<Shown> {
  const page = await scene.person.open(scene.more)
  await leave(page)
  await onWay?.(page)
  await consent(page)
  await until(page, `location.pathname === '/landing'`)
  return shown(page)
}

async function leave(page: Page): Promise<void> {
  await page.click('#leave')
  await until(page, atSandbox)
}

/** Switches them off in a page, and shows that a frame of another site then keeps none. */
async function withoutThirdPartyCookies(stage: Stage, page: Page): Promise<void> {
  const session = await page.createCDPSession()
  await session.send('Network.setCookieControls', { enableThirdPartyCookieRestriction: true })
  await page.goto(stage.app.host)
  const frame = page.frames().find((one) => one.url().startsWith(stage.app.origin))
  assert.equal(await frame?.evaluate(`document.cookie = 'third=1; SameSite=None; Secure'; document.cookie`), '')
  await page.goto(stage.app.origin)
  assert.equal(await page.evaluate(`document.cookie = 'first=1; SameSite=None; Secure'; document.cookie`), 'first=1')
  await until(page, `document.documentElement.dataset.ready === ''`)
}

const isCutOff = async (popup: Page): Promise<void> => assert.equal(await popup.evaluate('window.opener'), null)

/** Takes one way of hearing from the page. */
const withoutChannel = async (_popup: Page, page: Page): Promise<void> => {
  assert.equal(await page.evaluate('typeof BroadcastChannel'), 'undefined')
}

const cases: Readonly<Record<RowName, (scene: Scene) => Promise<Shown>>> = {
  ...connectPageCases,
  plain: (scene) => play(scene),
  plainLanding: (scene) => play(scene),
  severed: (scene) => severing(scene, () => play(scene, isCutOff)),
  severedBare: (scene) =>
    severing(scene, () =>
      play(scene, async (popup, page) => {
        await isCutOff(popup)
        // Ten seconds of patience in one.
        await page.evaluate(`const now = performance.now.bind(performance); performance.now = () => now() * 10`)
      }),
    ),
  ownPolicy: (scene) => play(scene, isCutOff, '/coop'),
  noChannel: (scene) => severing(scene, () => play(scene, withoutChannel, '/?without=channel')),
  deaf: (scene) => severing(scene, () => play(scene, withoutChannel, '/?without=channel,storage')),
  async blocked({ stage, person, more }) {
    const page = await person.open(more)
    await page.goto(`${stage.app.origin}/?auto`)
    return shown(page)
  },
  async closed({ person, more }) {
    const page = await person.open({ ...more, closedGraceMs: 300 })
    await (await person.click(page)).close()
    await page.bringToFront()
    return shown(page)
  },
  two: twoAtOnce,
  twoLanding: twoAtOnce,
  reloadApp: (scene) => play(scene, async (_popup, page) => void (await page.reload())),
  reloadAppSevered: (scene) => severing(scene, () => play(scene, async (_popup, page) => void (await page.reload()))),
  reloadWindow: (scene) => play(scene, async (popup) => void (await popup.reload())),
  backInWindow: (scene) =>
    play(scene, async (popup) => {
      await popup.evaluate(`document.querySelector('a[href$="switch=1"]')?.click()`)
      await until(popup, `document.querySelector('input[name=login]') !== null`)
      await popup.goBack()
      await until(popup, `document.querySelector('button[value=allow]') !== null`)
    }),
  async cookies({ stage, person, more }) {
    const page = await person.open()
    await withoutThirdPartyCookies(stage, page)
    await page.evaluate(`window.more = ${JSON.stringify(more)}`)
    const popup = await person.click(page)
    await consent(popup)
    return shown(page)
  },
  async phone({ stage, person, more }) {
    const page = await person.open()
    await page.emulate(KnownDevices['Pixel 5'])
    await page.reload()
    await tell(stage, page, await stage.service.token(), more)
    const popup = await opened(person.context, () => page.tap('#connect'))
    // To emulate loads the page anew, which on the way there would end the way.
    await until(popup, atSandbox)
    await popup.emulate(KnownDevices['Pixel 5'])
    await consent(popup)
    return shown(page)
  },
  frame: framed,
  frameLanding: framed,
  frameSevered: (scene) => severing(scene, () => framed(scene)),
  redirect: (scene) => redirected(scene),
  redirectSevered: (scene) => severing(scene, () => redirected(scene)),
  redirectCookies: (scene) =>
    redirected({
      ...scene,
      person: {
        ...scene.person,
        open: async (more) => {
          const page = await scene.person.open(more)
          await withoutThirdPartyCookies(scene.stage, page)
          await page.evaluate(`window.more = ${JSON.stringify(more)}`)
          return page
        },
      },
    }),
  redirectPhone: (scene) => redirected(scene, (page) => page.emulate(KnownDevices['Pixel 5'])),
  redirectReload: (scene) => redirected(scene, async (page) => void (await page.reload())),
  async redirectBack({ person, more }) {
    const page = await person.open(more)
    await leave(page)
    await page.goBack()
    return shown(page)
  },
  async redirectFrame(scene) {
    const frame = await openFramed(scene)
    await frame.click('#leave')
    return shown(frame)
  },
}

/** Plays every row that `name` has, each in the same browser, one after the other. */
export function matrixCases(name: BrowserName, playing: () => Promise<Playing>): void {
  let usual: Omit<Scene, 'more' | 'asks'>
  before(async () => {
    const { stage, browser } = await playing()
    usual = { stage, browser, person: await personAt(stage, browser) }
    // From here on the sandbox knows the user, and asks for consent alone.
    await play({ ...usual, more: {}, asks: false })
  })
  for (const [key, row] of Object.entries(rows) as [RowName, Row][]) {
    if (row.only !== undefined && row.only !== name) continue
    it(`${key}: by ${row.mode}, ${row.situation}${row.landing ? ', with a landing page' : ''}: ${row.ends}`, async () => {
      const { stage, person } = usual
      const more = row.landing ? { landingPage: stage.app.landingPage } : {}
      try {
        const result = await cases[key]({ ...usual, more, asks: row.asks === true })
        assert.equal(result.via ?? result.reason, row.ends, JSON.stringify(result))
        if (result.via !== undefined) await assertConnected(stage, result)
      } finally {
        // Some of them close by themselves, perhaps at this moment.
        await Promise.allSettled((await person.context.pages()).map((page) => page.close()))
      }
    })
  }
}
