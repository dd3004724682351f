import type { Browser, Page } from 'playwright-core'
import { makeLoginLink } from '../../../server/src/domain/login-link.ts'
import { openProfile, type Profile } from '../../../server/test/browser/support/chromium.ts'
import { allRights, type TestService } from '../../../server/test/support/service.ts'

export interface SignedIn {
  readonly profile: Profile
  readonly page: Page
  readonly link: string
}

/** A browser of somebody who followed a sign-in link to the overview. A tenant that is new has nothing in it. */
export async function signIn(service: TestService, browser: Browser, tenantId: string): Promise<SignedIn> {
  const link = (await makeLoginLink(service.context, { tenantId, subject: 'ada', scope: allRights })).reveal()
  const profile = await openProfile(browser, { viewport: { width: 1280, height: 800 } })
  const page = await profile.newPage()
  await page.goto(link)
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
  return { profile, page, link }
}

/** Presses the button that opens a popup, and waits for it. */
export async function popupOf({ profile, page }: SignedIn, button: string): Promise<Page> {
  const opening = profile.context.waitForEvent('page')
  await page.getByRole('button', { name: button }).click()
  return opening
}
