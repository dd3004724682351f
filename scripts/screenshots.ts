/** `node scripts/screenshots.ts`: makes the README's pictures anew, from a service of its own in a folder of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { ensureChromium } from './ensure-chromium.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const images = path.join(root, 'docs', 'images')
/** A README is read on slow lines, too. */
const sizeBytesAtMost = 60_000

async function main(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'connector-oauth-'))
  // The database's system user must be able to enter it, or its data would lie, and stay, elsewhere.
  await chmod(folder, 0o755)
  const browser = await chromium.launch({
    executablePath: ensureChromium(),
    args: ['--no-sandbox', '--disable-background-networking', '--no-first-run', '--disable-sync'],
  })
  const service = startService(folder)
  try {
    await mkdir(images, { recursive: true })
    await takeAll(browser, await printedLink(service))
  } finally {
    await browser.close()
    await stop(service)
    await rm(folder, { recursive: true, force: true })
  }
}

/** On the port that the README names, which the pictures show; `PORT` where it is taken. */
function startService(folder: string): ChildProcess {
  return spawn(process.execPath, [path.join(root, 'packages', 'server', 'src', 'main.ts'), 'serve'], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      DATA_DIR: path.join(folder, 'data'),
      PORT: process.env['PORT'] ?? '3000',
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function stop(service: ChildProcess): Promise<void> {
  if (service.exitCode !== null) return
  const ended = once(service, 'exit')
  service.kill('SIGTERM')
  await ended
}

async function printedLink(service: ChildProcess): Promise<string> {
  if (service.stdout === null) throw new Error('The service has no output to read')
  for await (const line of createInterface({ input: service.stdout })) {
    const link = /http:\S+#login_code=\S+/.exec(line)?.[0]
    if (link !== undefined) return link
  }
  throw new Error('The service ended without printing a sign-in link')
}

async function takeAll(browser: Browser, link: string): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: 960, height: 520 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    colorScheme: 'light',
  })
  const page = await context.newPage()
  await page.goto(link)
  await page.getByText('No account is connected yet').waitFor()
  await take(page, 'overview')

  const opening = context.waitForEvent('page')
  await page.getByRole('button', { name: 'Connect a sandbox account' }).click()
  const popup = await opening
  await popup.setViewportSize({ width: 520, height: 680 })
  await popup.getByLabel('User name').fill('ada')
  await popup.getByRole('button', { name: 'Sign in' }).click()
  const allow = popup.getByRole('button', { name: 'Allow' })
  await allow.waitFor()
  await take(popup, 'consent')

  await allow.click({ noWaitAfter: true })
  const accounts = page.getByRole('list', { name: 'Newest accounts' })
  await accounts.getByRole('listitem').waitFor()
  await accounts.scrollIntoViewIfNeeded()
  await take(page, 'connected')
}

async function take(page: Page, name: string): Promise<void> {
  const picture = await page.screenshot({ animations: 'disabled', caret: 'hide' })
  if (picture.length > sizeBytesAtMost) throw new Error(`${name}.png has ${picture.length} bytes; make it smaller`)
  await writeFile(path.join(images, `${name}.png`), picture)
  console.log(`docs/images/${name}.png  ${picture.length} bytes`)
}

await main()
