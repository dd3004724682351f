import assert from 'node:assert/strict'
import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** What a colour scheme and a narrow window can break; everything else is the same in both. */
const rulesOfLook = ['color-contrast', 'link-in-text-block', 'scrollable-region-focusable', 'target-size']

const settled = `Promise.allSettled(document.getAnimations()
  .filter(({ effect }) => Number.isFinite(effect.getComputedTiming().endTime)).map(({ finished }) => finished)).then(() => {})`

/**
 * Asserts that axe finds nothing on the page, light and wide as dark and narrow, and that nothing of it is wider than the window.
 *
 * All rules run once; those that the look decides run in both. Where another language showed the same page in both, `looks`
 * may be `dark`: one look then, under all rules; or `layout`, where its rules were shown as well: nothing but the widths.
 */
export async function assertAccessible(
  page: Page,
  widths: { readonly wide: number; readonly narrow: number },
  onEachLook: (colorScheme: 'light' | 'dark') => Promise<void> = async () => {},
  looks: 'both' | 'dark' | 'layout' = 'both',
): Promise<void> {
  for (const [colorScheme, width] of [
    ['dark', widths.narrow],
    ['light', widths.wide],
  ] as const) {
    if (looks !== 'both' && colorScheme !== 'dark') continue
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height: 760 })
    // Half-way from one scheme to the other no colour is what it will be.
    await page.evaluate(settled)
    if (looks !== 'layout')
      assert.deepEqual(await violations(page, colorScheme === 'dark' && looks === 'both'), [], colorScheme)
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
    assert.ok(overflow <= 0, `${overflow} pixels too wide at ${width}`)
    await onEachLook(colorScheme)
  }
}

/** Brings axe into a document once: reading it takes longer than what it then does. */
async function violations(page: Page, isOnlyOfLook: boolean): Promise<readonly string[]> {
  for (const frame of page.frames()) {
    if (!(await frame.evaluate<boolean>(`'axe' in globalThis`))) await frame.evaluate(axe.source)
  }
  const options = { resultTypes: ['violations'], ...(isOnlyOfLook && { runOnly: rulesOfLook }) }
  return page.evaluate<string[]>(`axe.run(${JSON.stringify(options)}).then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`)
}
