import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core'

/** The system's Chromium. It must call nobody on its own: what the tests record is what our pages ask for. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-quic',
      '--no-first-run',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** One person's browser: cookies and storage of its own, and a record of all it did. */
export interface Profile {
  readonly context: BrowserContext
  /** Addresses of every request so far. */
  readonly requests: readonly string[]
  /** Violations of a page's policy, uncaught errors, and errors on the console. */
  readonly complaints: readonly string[]
  newPage(): Promise<Page>
  /** Hosts and ports that were asked for, each once, sorted. */
  hosts(): readonly string[]
}

export async function openProfile(browser: Browser, options: BrowserContextOptions = {}): Promise<Profile> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(15_000)
  const requests: string[] = []
  const complaints: string[] = []
  context.on('request', (request) => void requests.push(request.url()))
  context.on('weberror', (problem) => void complaints.push(`error: ${problem.error().message}`))
  context.on('console', (message) => {
    // Chromium also reports each 4xx; those are the tests' own doing and are asserted by status.
    const isStatus = message.text().startsWith('Failed to load resource: the server responded with a status of')
    if (message.type() === 'error' && !isStatus) complaints.push(`console: ${message.text()}`)
  })
  await context.exposeBinding('reportViolation', (_source, text: string) => void complaints.push(`policy: ${text}`))
  await context.addInitScript(
    "addEventListener('securitypolicyviolation', (e) => reportViolation(e.violatedDirective + ' ' + e.blockedURI))",
  )
  return {
    context,
    requests,
    complaints,
    newPage: () => context.newPage(),
    hosts: () =>
      [...new Set(requests.map((address) => URL.parse(address)?.host ?? '').filter((host) => host !== ''))].toSorted(),
  }
}
