import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { startTestService, type TestService } from '../support/service.ts'
import { authorizePath } from '../support/consent.ts'
import { assertAccessible } from './support/accessible.ts'
import { launchChromium, openProfile, type Profile } from './support/chromium.ts'
import { consentIn, startSession } from './support/journey.ts'

let service: TestService
let browser: Browser

before(async () => {
  service = await startTestService({ env: { AUTH_COOKIE: 'platform_session' } })
  browser = await launchChromium()
})
after(async () => {
  await browser?.close()
  await service?.[Symbol.asyncDispose]()
})

async function openConsent(page: Page, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const session = await startSession(service, more)
  await page.goto(session.authorize_url)
}

/** Each state a person can meet, by what is seen there, and how to get there. */
const states: Readonly<Record<string, (profile: Profile, page: Page) => Promise<void>>> = {
  'the sandbox’s login': async (_profile, page) => {
    await openConsent(page)
    await page.getByLabel('User name').waitFor()
  },
  'the sandbox’s consent': async (_profile, page) => {
    await openConsent(page)
    await page.getByLabel('User name').fill('ada')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: 'Allow' }).waitFor()
  },
  'the closing page, connected': async (profile, page) => {
    const value = await service.token()
    await profile.context.addCookies([{ name: 'platform_session', value, url: service.url }])
    await page.goto(service.url + authorizePath())
    await consentIn(page)
    await page.getByRole('heading', { name: 'Account connected' }).waitFor()
  },
  'the closing page, connected with less access': async (profile, page) => {
    const value = await service.token()
    await profile.context.addCookies([{ name: 'platform_session', value, url: service.url }])
    await page.goto(service.url + authorizePath())
    await consentIn(page, 'ada', 'Allow', ['email', 'profile'])
    await page.getByRole('heading', { name: 'Sandbox is connected, with less access' }).waitFor()
  },
  'the closing page, finishing': async (_profile, page) => {
    await openConsent(page, { origin: service.url })
    await consentIn(page)
    await page.getByRole('heading', { name: 'Almost connected' }).waitFor()
  },
  'the closing page, nobody to tell': async (_profile, page) => {
    await openConsent(page)
    await consentIn(page)
    await page.getByText('Details', { exact: true }).click()
    await page.getByText('no_origin').waitFor()
  },
  'the closing page, denied': async (_profile, page) => {
    await openConsent(page, { origin: service.url })
    await consentIn(page, 'ada', 'Deny')
    await page.getByRole('heading', { name: 'Nothing was connected' }).waitFor()
  },
  'the closing page, failed, with details': async (_profile, page) => {
    await page.goto(`${service.url}/v1/connectors/oauth/sandbox/authorize?space_id=x&token=ctk_used`)
    await page.getByText('Details', { exact: true }).click()
    await page.getByText('invalid_ticket').waitFor()
  },
  'the closing page, unknown': async (_profile, page) => {
    await page.goto(`${service.url}/v1/connectors/oauth/finished/unknown`)
    await page.getByRole('heading', { name: 'Nothing to finish here' }).waitFor()
  },
  'an address without a page': async (_profile, page) => {
    await page.goto(`${service.url}/nowhere`)
    await page.getByText('Details', { exact: true }).click()
    await page.getByRole('link', { name: 'Go to the start page' }).waitFor()
  },
}

describe('every state is accessible, light and wide as dark and 320 pixels narrow:', () => {
  for (const [name, reach] of Object.entries(states)) {
    it(name, async () => {
      const profile = await openProfile(browser)
      const page = await profile.newPage()
      await reach(profile, page)
      await assertAccessible(page, { wide: 1024, narrow: 320 })
      await profile.context.close()
    })
  }
})
