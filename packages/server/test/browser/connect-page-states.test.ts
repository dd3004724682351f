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
  describe(`every state of the Connect page is accessible, light and dark, wide and 320 pixels narrow, in ${tag}:`, () => {
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
        await assertAccessible(page, { wide: 560, narrow: 320 }, async (colorScheme) => {
          if (pictures === undefined) return
          await page.screenshot({ path: `${pictures}/${tag}-${colorScheme}-${name}.png`, animations: 'disabled' })
        })
      })
    }
    it('breaks no policy on the way', () => {
      assert.deepEqual(profile.complaints, [])
    })
  })
}
