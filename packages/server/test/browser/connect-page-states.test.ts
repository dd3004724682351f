import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { languages } from '../../src/http/words/languages.ts'
import { startTestService, type TestService } from '../support/service.ts'
import { assertAccessible } from './support/accessible.ts'
import { launchChromium, openProfile, type Profile } from './support/chromium.ts'
import { connectStates, reachState } from './support/connect-states.ts'

/** A folder for pictures of every state, for whoever looks at them. */
const pictures = process.env['CONNECT_PAGE_PICTURES']

let service: TestService
let browser: Browser
before(async () => {
  service = await startTestService()
  browser = await launchChromium()
})
after(async () => {
  await browser?.close()
  await service?.[Symbol.asyncDispose]()
})

for (const tag of ['en', 'ar']) {
  describe(`every state of the Connect page is accessible in ${tag}:`, () => {
    let profile: Profile
    let opened: Page
    let alone: Page
    before(async () => {
      profile = await openProfile(browser, { locale: tag })
      alone = await profile.newPage()
      opened = await profile.newPage()
      // Steering a window by hand would cut it off from a real one.
      await opened.addInitScript("Object.defineProperty(window, 'opener', { value: { postMessage() {} } })")
    })
    after(() => profile.context.close())
    const words = languages.find((language) => language.tag === tag)?.words
    assert.ok(words)
    for (const [name, state] of Object.entries(connectStates)) {
      it(name, async () => {
        const page = state.isAlone ? alone : opened
        await reachState(page, service.url, state, tag)
        // The key is one of the words: the states are tested in their own table.
        const text = words[state.heading as keyof typeof words]
        let heading = page.getByRole('heading', { level: 1 })
        for (const part of text.split(/\{\w+\}/)) heading = heading.filter({ hasText: part.trim() })
        await heading.waitFor()
        const isFocused = await page.evaluate<boolean>("document.activeElement === document.querySelector('h1')")
        assert.ok(isFocused || state.isTyping, 'focus is on the heading')
        const look = async (colorScheme: string) => {
          if (pictures === undefined) return
          await page.screenshot({ path: `${pictures}/${tag}-${colorScheme}-${name}.png`, animations: 'disabled' })
        }
        // Colours, sizes and roles are the same in every language; pictures are wanted of both looks.
        const looks = tag === 'en' || pictures !== undefined ? 'both' : name === 'picker' ? 'dark' : 'layout'
        await assertAccessible(page, { wide: 560, narrow: 320 }, look, looks)
      })
    }
    it('breaks no policy on the way', () => {
      assert.deepEqual(profile.complaints, [])
    })
  })
}

/** Colours of the tiles on the page, and the contrast of what stands in them (WCAG 2.2, 1.4.3). */
const tiles = `(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
  const luminance = (colour) => {
    canvas.fillStyle = colour
    canvas.fillRect(0, 0, 1, 1)
    const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) =>
      part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  return [...document.querySelectorAll('.sign')].map((tile) => {
    const { color, backgroundColor } = getComputedStyle(tile)
    const [one, other] = [luminance(color), luminance(backgroundColor)].sort((a, b) => b - a)
    return { ground: backgroundColor, contrast: (one + 0.05) / (other + 0.05) }
  })
})()`

it('gives each provider a colour of its own, the same wherever it is shown, and easy to read in light and dark', async () => {
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  const look = () => page.evaluate<{ ground: string; contrast: number }[]>(tiles)
  const { picker, review } = connectStates
  assert.ok(picker && review)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await reachState(page, service.url, picker, 'en')
    const [dropbox, ...others] = await look()
    assert.ok(dropbox)
    assert.ok(new Set(others.map(({ ground }) => ground)).size >= 5)
    await page.evaluate(
      `document.querySelectorAll('.sign').forEach((tile, at) => tile.style.setProperty('--hue', at * 60 + 'deg'))`,
    )
    const everyHue = await look()
    await page.evaluate(
      `document.querySelectorAll('.sign').forEach((tile, at) => tile.style.setProperty('--hue', at * 60 + 30 + 'deg'))`,
    )
    for (const { contrast } of [...everyHue, ...(await look())])
      assert.ok(contrast >= 4.5, `${contrast} in ${colorScheme}`)
    await reachState(page, service.url, review, 'en')
    assert.equal((await look())[0]?.ground, dropbox.ground)
  }
  await profile.context.close()
})
