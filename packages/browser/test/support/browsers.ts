import assert from 'node:assert/strict'
import puppeteer, { type Browser, type BrowserContext, type Frame, type Page } from 'puppeteer-core'

export type BrowserName = 'chromium' | 'firefox'

/** The system's browser, by the one driver that speaks to both. It must call nobody on its own. */
export function launch(name: BrowserName): Promise<Browser> {
  if (name === 'firefox') {
    return puppeteer.launch({
      browser: 'firefox',
      executablePath: process.env['FIREFOX_PATH'] ?? '/usr/bin/firefox',
      // The driver lets every page open windows; people's browsers do not.
      extraPrefsFirefox: { 'dom.disable_open_during_load': true },
    })
  }
  return puppeteer.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    ignoreDefaultArgs: ['--disable-popup-blocking'],
    args: ['--no-sandbox', '--disable-background-networking', '--disable-quic', '--disable-component-update'],
  })
}

/** One person's browser: cookies and storage of its own. */
export async function openProfile(browser: Browser): Promise<BrowserContext> {
  return browser.createBrowserContext()
}

const timeout = 15_000

/** The window that `act` makes `context` open. */
export async function opened(context: BrowserContext, act: () => Promise<void>): Promise<Page> {
  const opening = Promise.withResolvers<Page>()
  const timer = setTimeout(() => opening.reject(new Error('No window was opened')), timeout)
  context.on('targetcreated', (target) => {
    void target.page().then((page) => page !== null && opening.resolve(page), opening.reject)
  })
  try {
    const [page] = await Promise.all([opening.promise, act()])
    return page
  } finally {
    clearTimeout(timer)
    context.removeAllListeners('targetcreated')
  }
}

/** Waits until the expression is true, also in pages that nobody sees, where animation frames stand still. */
export async function until(page: Page | Frame, expression: string): Promise<void> {
  await page.waitForFunction(expression, { polling: 40, timeout })
}

export async function untilClosed(page: Page): Promise<void> {
  const deadline = performance.now() + timeout
  while (!page.isClosed()) {
    assert.ok(performance.now() < deadline, 'the window stays open')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
