import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { compileCache } from '../support/compile-cache.ts'
import { freePort } from '../support/service.ts'
import { pages, root, snippetsOf, textOf } from './support/snippets.ts'

/** The blocks of a page that are marked `bash run`, in order. */
function blocksOf(page: string): readonly string[] {
  return snippetsOf(page).flatMap(({ language, mark, code }) => (language === 'bash' && mark === 'run' ? [code] : []))
}

/** Runs them as one script, as they stand; a refused request ends it. Answers what they print. */
async function run(blocks: readonly string[]): Promise<string> {
  const script = ['curl() { command curl --fail-with-body "$@"; }', ...blocks].join('\n')
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
    env: { PATH: process.env['PATH'], BASE: base, TOKEN: token },
    timeout: 60_000,
  })
  return stdout
}

let dataDir: string
let service: ChildProcess
let base: string
let token: string

/** The value of the line `export TOKEN=…` that a start prints; rejects when the service ends before it. */
async function printedToken(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout)
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /export TOKEN=(\S+)/.exec(line)?.[1]
    if (found !== undefined) return found
  }
  throw new Error('The service ended without printing a token')
}

before(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'connector-oauth-readme-'))
  // Run by root, the embedded database is another user, who has to get to its files.
  await chmod(dataDir, 0o711)
  const port = await freePort()
  base = `http://localhost:${port}`
  service = spawn(process.execPath, [path.join(root, 'packages/server/src/main.ts'), 'serve'], {
    cwd: dataDir,
    env: { ...compileCache, PATH: process.env['PATH'], DATA_DIR: path.join(dataDir, 'data'), PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  token = await printedToken(service)
  service.stdout?.resume()
})

after(async () => {
  if (service.exitCode === null) {
    service.kill('SIGTERM')
    await once(service, 'exit')
  }
  await rm(dataDir, { recursive: true, force: true })
})

const start = 'docs/start.md'

describe('the pages’ commands', () => {
  it('connect, fetch a token, call the provider and disconnect, as the five-minute start has them', async () => {
    const stdout = await run(blocksOf(start))
    const [connected = '', proxied = '', leased = '', profile = '', revocation = '', events = '', ...more] = stdout
      .trimEnd()
      .split('\n')
    assert.deepEqual(more, [])
    const { connector_id: connectorId, ...rest } = JSON.parse(connected) as Record<string, unknown>
    assert.match(String(connectorId), /^conn_/)
    assert.deepEqual(rest, {
      message: 'OAuth connection established successfully',
      provider: 'sandbox',
      collection_id: '123e4567-e89b-12d3-a456-426614174000',
    })
    for (const one of [proxied, leased, profile]) {
      assert.equal((JSON.parse(one) as { username: string }).username, 'ada')
    }
    assert.equal(revocation, 'queued')
    const { data } = JSON.parse(events) as { data: { event_type: string }[] }
    // The revocation's event may be there already.
    const types = data.map((event) => event.event_type).slice(0, 3)
    assert.deepEqual(types, ['connector.connected', 'token.exported', 'connector.disconnected'])
  })

  it('work as they stand on every other page, once those of the start have named the service', async () => {
    const others = pages.filter((page) => page !== start && blocksOf(page).length > 0)
    assert.ok(others.length >= 6)
    const [names = ''] = blocksOf(start)
    for (const page of others) {
      const stdout = await run([names, ...blocksOf(page)])
      const slug = /set-up-(\w+)\.md$/.exec(page)?.[1]
      if (slug === undefined) continue
      // What the page tells to register is what the service will send.
      const [, shown] = /\*\*Redirect URI\*\*[^`]*`https:\/\/connectors\.example\.com([^`]+)`/.exec(textOf(page)) ?? []
      assert.ok(shown !== undefined && stdout.includes(`"redirect_uri":"${base}${shown}"`), `${page}: ${stdout}`)
      assert.match(stdout, /"setup_complete":true/, page)
    }
  })

  it('would be found to fail', async () => {
    await assert.rejects(run(['curl -sS "$BASE/gone"']))
  })

  it('go with addresses that are there', async () => {
    for (const address of ['/health/live', '/health/ready', '/docs', '/openapi.json', '/']) {
      const reply = await fetch(base + address)
      assert.equal(reply.status, 200, address)
      await reply.body?.cancel()
    }
  })
})
