import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { it } from 'node:test'
import { chromium } from 'playwright-core'
import { freePort, startTestService } from '../support/service.ts'

/** The page that the README tells its reader to write, with this service's address in place of the example's. */
async function embeddingPage(serviceUrl: string, token: string): Promise<string> {
  const readme = await readFile(new URL('../../../../README.md', import.meta.url), 'utf8')
  const snippet = /^```html run\n([\s\S]*?)^```$/m.exec(readme)?.[1]
  assert.ok(snippet !== undefined, 'the README has no HTML block')
  assert.ok(snippet.includes('http://localhost:3000'), 'the HTML block names another address')
  const platform = `<script>window.yourToken = async () => ${JSON.stringify(token)}</script>`
  return `<!doctype html>${platform}${snippet.replaceAll('http://localhost:3000', serviceUrl)}`
}

it('the README’s page of another origin connects an account through the popup', async () => {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  await using service = await startTestService({ env: { ALLOWED_ORIGINS: origin } })
  const html = await embeddingPage(service.url, await service.token())
  const platform = createServer((_request, reply) => reply.setHeader('content-type', 'text/html').end(html))
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  })
  try {
    await new Promise<void>((resolve) => platform.listen(port, '127.0.0.1', resolve))
    const page = await browser.newPage()
    await page.goto(origin)
    const [popup] = await Promise.all([page.waitForEvent('popup'), page.click('#connect')])
    const told = page.waitForEvent('dialog')
    await popup.fill('input[name=login]', 'ada')
    await popup.click('button[type=submit]')
    await popup.click('button[value=allow]')
    const dialog = await told
    assert.match(dialog.message(), /^conn_/)
    await dialog.accept()
  } finally {
    await browser.close()
    platform.close()
  }
})
