import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { compileCache } from '../support/compile-cache.ts'
import { freePort } from '../support/service.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { launchChromium, openProfile } from './support/chromium.ts'
import { consentIn } from './support/journey.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

let folder: string
let database: TestDatabase
let service: ChildProcess
let browser: Browser

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'connector-oauth-'))
  database = await createTestDatabase()
  browser = await launchChromium()
})
after(async () => {
  await browser?.close()
  if (service?.exitCode === null) service.kill('SIGKILL')
  await database?.drop()
  if (folder) await rm(folder, { recursive: true, force: true })
})

it('prints a link with which a newcomer connects an account, and stops cleanly', async () => {
  service = spawn(process.execPath, [main, 'serve'], {
    cwd: folder,
    env: {
      ...compileCache,
      PATH: process.env['PATH'],
      DATA_DIR: path.join(folder, 'data'),
      DATABASE_URL: database.databaseUrl,
      PORT: String(await freePort()),
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const link = await printedLink(service)
  const profile = await openProfile(browser)
  const page = await profile.newPage()
  await page.goto(link)
  const opening = profile.context.waitForEvent('page')
  await page.getByRole('button', { name: 'Connect a sandbox account' }).click()
  await consentIn(await opening, 'grace')
  await page.getByRole('list', { name: 'Newest accounts' }).getByText('grace').waitFor()
  assert.deepEqual(profile.complaints, [])
  await profile.context.close()

  const ended = once(service, 'exit')
  service.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null])
})

async function printedLink(running: ChildProcess): Promise<string> {
  assert.ok(running.stdout)
  for await (const line of createInterface({ input: running.stdout })) {
    const link = /http:\S+#login_code=\S+/.exec(line)?.[0]
    if (link !== undefined) return link
  }
  throw new Error('the service ended without printing a link')
}
