import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { before, it } from 'node:test'
import type { Page } from 'puppeteer-core'
import { until } from '../support/browsers.ts'
import { personAt, shown, untilAsked, type Person, type Stage } from '../support/scene.ts'
import type { Playing } from '../support/playing.ts'

const hash = '#session_id=ses_any&provider=sandbox&status=awaiting_completion&completion_code=any'
const yes = `document.querySelector('dialog[open] button:last-of-type')`
const focusIsOn = (button: string) => `document.activeElement === ${button}`

/** What presses the landing page's question takes for an answer. */
export function questionCases(playing: () => Promise<Playing>): void {
  let stage: Stage
  let person: Person

  before(async () => {
    const played = await playing()
    stage = played.stage
    person = await personAt(stage, played.browser, { subject: 'asked' })
    await (await person.open()).close()
  })

  /** The landing page with an outcome of a session that there is not, as soon as it asks, in the window in front. */
  async function ask(viewport?: { readonly width: number; readonly height: number }): Promise<Page> {
    const page = await person.context.newPage()
    if (viewport !== undefined) await page.setViewport(viewport)
    await page.goto(stage.app.landingPage + hash)
    await page.bringToFront()
    await until(page, `${yes} !== null`)
    return page
  }

  /** Where the button is, in view or not. */
  async function placeOfYes(page: Page): Promise<readonly [number, number]> {
    const place = await page.evaluate(`(({ x, y, width, height }) =>
      [x + width / 2, y + height / 2])(${yes}.getBoundingClientRect())`)
    return place as [number, number]
  }

  const isAsking = async (page: Page): Promise<boolean> => (await page.evaluate(`${yes} !== null`)) as boolean

  /** A yes makes the service be asked, which knows no such session; a no is `aborted`. */
  async function assertSaidYes(page: Page): Promise<void> {
    assert.equal((await shown(page)).code, 'session_unknown')
    await page.close()
  }

  it('takes no yes from somebody who clicks as fast as they can, and one from a click of its own', async () => {
    const page = await ask()
    const place = await placeOfYes(page)
    const untilMs = performance.now() + 3_000
    while (performance.now() < untilMs) {
      await page.mouse.click(...place)
      await sleep(120)
      assert.ok(await isAsking(page), 'one of many clicks was taken for an answer')
    }
    await untilAsked(page)
    await page.mouse.click(...place)
    await assertSaidYes(page)
  })

  it('takes no yes from a press that began too early, however long it is held', async () => {
    const page = await ask()
    await page.mouse.move(...(await placeOfYes(page)))
    await page.mouse.down()
    await sleep(1_500)
    await page.mouse.up()
    await sleep(200)
    assert.ok(await isAsking(page), 'a held press was taken for an answer')
    await page.close()
  })

  it('waits anew when the window gets another size', async () => {
    const page = await ask({ width: 800, height: 600 })
    await untilAsked(page)
    await page.setViewport({ width: 700, height: 500 })
    await until(page, `${yes}.ariaDisabled === 'true'`)
    await untilAsked(page)
    // The first press on the button, which gives it the focus, is taken.
    await page.mouse.click(...(await placeOfYes(page)))
    await assertSaidYes(page)
  })

  it('is answered by keyboard: Tab to yes, which says that it waits, and Enter after the time', async () => {
    const page = await ask()
    await page.keyboard.press('Tab')
    assert.ok(await page.evaluate(focusIsOn(yes)))
    assert.equal(await page.evaluate(`${yes}.ariaDisabled`), 'true')
    await page.keyboard.press('Enter')
    assert.ok(await isAsking(page), 'a key that was pressed too early was taken for an answer')
    await untilAsked(page)
    assert.ok(await page.evaluate(focusIsOn(yes)), 'the focus stays where it was')
    await page.keyboard.press('Enter')
    await assertSaidYes(page)
  })

  it('takes a click that no press came before, as assistive technology makes it, after the time', async () => {
    const page = await ask()
    await page.evaluate(`${yes}.click()`)
    assert.ok(await isAsking(page))
    await untilAsked(page)
    await page.evaluate(`${yes}.click()`)
    await assertSaidYes(page)
  })

  it('takes no yes in a tiny window before the whole text was scrolled into view', async () => {
    const page = await ask({ width: 220, height: 130 })
    assert.equal(await page.evaluate(`document.querySelector('dialog').scrollTop`), 0)
    const titleTop = await page.evaluate(`document.querySelector('dialog h2').getBoundingClientRect().top`)
    assert.ok(Number(titleTop) >= 0)
    // Past the text, to the button.
    await page.keyboard.press('Tab')
    await page.evaluate(`${yes}.scrollIntoView()`)
    await sleep(1_500)
    await page.keyboard.press('Enter')
    await page.mouse.click(...(await placeOfYes(page)))
    assert.ok(await isAsking(page), 'a yes to a text that was not read')
    await page.evaluate(`document.querySelector('dialog').scrollTop = 0`)
    for (let end = false; !end;) {
      await page.keyboard.press('ArrowDown')
      await sleep(50)
      end = (await page.evaluate(`(({ scrollTop, clientHeight, scrollHeight }) =>
        scrollTop + clientHeight >= scrollHeight - 1)(document.querySelector('dialog'))`)) as boolean
    }
    await untilAsked(page)
    await page.mouse.click(...(await placeOfYes(page)))
    await assertSaidYes(page)
  })
}
