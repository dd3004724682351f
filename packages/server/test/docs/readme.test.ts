import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { compileCache } from '../support/compile-cache.ts'
import { freePort } from '../support/service.ts'

const root = path.join(import.meta.dirname, '../../../..')

/** The blocks that the README marks as `bash run`, in order, as one script. */
async function readmeScript(): Promise<string> {
  const text = await readFile(path.join(root, 'README.md'), 'utf8')
  return [...text.matchAll(/^```bash run\n([\s\S]*?)^```$/gm)].map((match) => match[1]).join('')
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

describe('the README', () => {
  it('connects, fetches a token, calls the provider and disconnects with the commands it prints', async () => {
    const script = await readmeScript()
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
      env: { PATH: process.env['PATH'], BASE: base, TOKEN: token },
      timeout: 60_000,
    })
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

  it('tells the truth about the health routes and the reference', async () => {
    for (const address of ['/health/live', '/health/ready', '/docs', '/openapi.json', '/']) {
      const reply = await fetch(base + address)
      assert.equal(reply.status, 200, address)
      await reply.body?.cancel()
    }
  })
})
