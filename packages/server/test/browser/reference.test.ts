import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { startTestService, type TestService } from '../support/service.ts'
import { launchChromium, openProfile } from './support/chromium.ts'

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

it('shows the reference without asking anybody else, breaking its policy or raising an error', async () => {
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  await page.goto(`${service.url}/docs`)
  await page.getByRole('heading', { name: 'connector-oauth' }).first().waitFor()
  await page.getByText('Start the OAuth authorization flow').first().waitFor()
  // What is further down is drawn, and asked for, when it comes into view.
  for (const name of ['Connectors', 'Providers', 'Tenant', 'Events']) {
    await page.getByRole('link', { name, exact: true }).click()
    await page.getByRole('heading', { name, exact: true }).waitFor()
  }
  // The guides are one click away.
  await page.getByRole('navigation', { name: 'Guides' }).getByRole('link', { name: 'Five-minute start' }).click()
  await page.getByRole('heading', { level: 1, name: 'Five-minute start' }).waitFor()
  assert.deepEqual(profile.hosts(), [new URL(service.url).host])
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()
})
