import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { after, before, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { startTestService, type TestService } from '../support/service.ts'
import { assertAccessible } from './support/accessible.ts'
import { launchChromium, openProfile } from './support/chromium.ts'

const files = readdirSync(path.join(import.meta.dirname, '../../../../docs')).filter((file) => file.endsWith('.md'))

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

const addressOf = (file: string) => `${service.url}/docs/${file === 'README.md' ? 'guides' : file.slice(0, -3)}`

it('every guide fits a narrow screen, asks nobody else and breaks no policy', async () => {
  const profile = await openProfile(browser, { viewport: { width: 320, height: 720 } })
  const page = await profile.newPage()
  for (const file of files) {
    await page.goto(addressOf(file))
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
    assert.ok(overflow <= 0, `${file} is ${overflow} pixels too wide`)
  }
  assert.deepEqual(profile.hosts(), [new URL(service.url).host])
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})

it('guides are accessible, whatever they are made of, light and wide as dark and narrow', async () => {
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  // Lists, code, steps, tables: every page is rendered by the same rules.
  for (const file of ['set-up-google.md', 'ending-connections.md']) {
    await page.goto(addressOf(file))
    await assertAccessible(page, { wide: 1280, narrow: 320 })
  }
  await profile.context.close()
})

it('a reader copies a command from a guide, and is one click from the reference', async () => {
  const profile = await openProfile(browser, { permissions: ['clipboard-read', 'clipboard-write'] })
  const page = await profile.newPage()
  await page.goto(addressOf('start.md'))
  await page.getByRole('button', { name: 'Copy' }).first().click()
  await page.getByRole('button', { name: 'Copied' }).waitFor()
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), 'npm start\n')
  await page.getByRole('link', { name: 'API reference' }).click()
  await page.waitForURL(`${service.url}/docs/`)
  await profile.context.close()
})
