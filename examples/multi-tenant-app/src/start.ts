/** `npm run example`: the connector service with its sandbox provider, and this app in front of it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { createApp, type Watchers } from './app.ts'
import { createConnectors } from './connectors.ts'
import { tenants } from './people.ts'
import { createTokens } from './tokens.ts'

const { env } = process
const root = path.join(import.meta.dirname, '../../..')
const port = Number(env['EXAMPLE_PORT'] ?? 3200)
const servicePort = Number(env['EXAMPLE_SERVICE_PORT'] ?? 3210)
const origin = `http://localhost:${port}`
const baseUrl = `http://localhost:${servicePort}`
/** Platform and service share it: the platform signs with it, the service checks. */
const secret = env['AUTH_JWT_SECRET'] ?? randomBytes(32).toString('base64url')
const readyWithinMs = 120_000

/** The service as `npm start` runs it, with the settings that this app needs. */
function startService(): ChildProcess {
  const dataDir = env['DATA_DIR'] ?? path.join(root, 'data', 'example')
  mkdirSync(dataDir, { recursive: true })
  const server = path.join(root, 'packages', 'server')
  const follow = pathToFileURL(path.join(server, 'bin', 'follow-parent.mjs')).href
  return spawn(process.execPath, ['--import', follow, path.join(server, 'src', 'main.ts'), 'serve'], {
    // A file `.env` of the workspace is for the workspace's own service.
    cwd: dataDir,
    env: {
      ...env,
      DATA_DIR: dataDir,
      PORT: String(servicePort),
      AUTH_JWT_SECRET: secret,
      ALLOWED_ORIGINS: origin,
      // Webhooks go to public https addresses, unless an operator says otherwise.
      ALLOWED_PRIVATE_HOSTS: `localhost:${port}`,
      LOG_LEVEL: env['LOG_LEVEL'] ?? 'error',
    },
    // What it prints is for whoever works with the service itself.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
}

async function untilReady(service: ChildProcess): Promise<void> {
  const deadline = Date.now() + readyWithinMs
  while (service.exitCode === null && Date.now() < deadline) {
    const isReady = await fetch(`${baseUrl}/health/ready`).then(
      (reply) => reply.ok,
      () => false,
    )
    if (isReady) return
    await wait(100)
  }
  throw new Error('The connector service did not start; what it said stands above.')
}

const service = startService()
const stopped = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
  service.once('exit', () => resolve())
})
try {
  const watchers: Watchers = new Map()
  const tokens = createTokens(secret)
  const connectors = createConnectors(baseUrl, tokens, (tenantId) => {
    for (const response of watchers.get(tenantId) ?? []) response.write('data: changed\n\n')
  })
  const app = await createApp(connectors, tokens, watchers)
  const ready = untilReady(service)
  await Promise.race([ready, stopped])
  await app.listen({ host: '127.0.0.1', port })
  await connectors.setUp(tenants, { origin })
  console.log(`\n  The example app runs on ${origin}\n  Its connector service:  ${baseUrl}/docs\n  Ctrl+C ends both.\n`)
  await stopped
  await app.close()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  if (service.exitCode === null) {
    const ended = new Promise((resolve) => service.once('exit', resolve))
    service.kill('SIGTERM')
    await ended
  }
}
