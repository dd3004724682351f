import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { SignJWT } from 'jose'
import { compileCache } from './compile-cache.ts'
import { allRights, callerOf, freePort, type CallOptions } from './service.ts'

const followParent = new URL('../../bin/follow-parent.mjs', import.meta.url).href
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const startsWithinMs = 30_000

/** Where the platform's pages live, as far as the tests' deployments know. */
export const platformOrigin = 'https://platform.example'

/** The real service as a process of its own, the way an operator runs it. */
export interface ServiceProcess extends AsyncDisposable {
  readonly url: string
  /** Of the present life. */
  readonly pid: number
  /** Everything it wrote to stdout and stderr, over all its lives. */
  readonly output: string
  /** Resolves once the present life is ready; a life that was killed has its successor awaited. */
  ready(): Promise<void>
  /** Sends the signal and answers how the process ended. */
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<{ readonly code: number | null; readonly signal: string | null }>
  /** Starts again on the same port and waits until it is ready. */
  restart(): Promise<void>
  call(method: string, path: string, options?: CallOptions): Promise<Response>
}

/** Processes that share a database and keys, as behind one load balancer. */
export interface Deployment {
  readonly env: Readonly<Record<string, string>>
  readonly jwtSecret: string
  /** As it stands in `ENCRYPTION_KEYS`, without its id. */
  readonly encryptionKey: string
  token(claims?: { readonly sub?: string; readonly tenant?: string; readonly scope?: string }): Promise<string>
  /** Without a role it does everything. */
  start(role?: 'api' | 'worker'): Promise<ServiceProcess>
  /** Runs one command of the command line and answers its stdout. */
  command(...args: readonly string[]): Promise<string>
}

/** Settings of a production deployment over one database; `env` adds to them. Nothing runs until `start`. */
export function deploymentOf(databaseUrl: string, more: Readonly<Record<string, string>> = {}): Deployment {
  const jwtSecret = randomBytes(32).toString('base64url')
  const encryptionKey = randomBytes(32).toString('base64')
  const env = {
    NODE_ENV: 'production',
    PUBLIC_URL: 'https://connectors.example',
    DATABASE_URL: databaseUrl,
    ENCRYPTION_KEYS: `test:${encryptionKey}`,
    AUTH_JWT_SECRET: jwtSecret,
    ALLOWED_ORIGINS: platformOrigin,
    RATE_LIMITS: 'off',
    ...more,
  }
  const token: Deployment['token'] = ({ sub = 'ada', tenant = 'acme', scope = allRights } = {}) =>
    new SignJWT({ scope, tenant_id: tenant })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(sub)
      .setExpirationTime('1h')
      .sign(Buffer.from(jwtSecret, 'utf8'))
  return {
    env,
    jwtSecret,
    encryptionKey,
    token,
    start: async (role) => startProcess(role === undefined ? ['serve'] : ['serve', '--role', role], env, token),
    async command(...args) {
      const child = run(args, env)
      let stdout = ''
      child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
      const { code } = await endOf(child)
      if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`)
      return stdout
    },
  }
}

async function startProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  token: Deployment['token'],
): Promise<ServiceProcess> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  let output = ''
  let life = begin()

  function begin() {
    const child = run(args, { ...env, PORT: String(port) })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (output += text))
    }
    const ended = endOf(child)
    const ready = untilReady(url, ended)
    // Whoever waits sees it; a life that nobody waits for may end early.
    ready.catch(() => {})
    return { child, ended, ready }
  }

  const ready = async (): Promise<void> => {
    for (;;) {
      const current = life
      const isReady = await current.ready.then(
        () => true,
        (error: unknown) => {
          if (current === life) throw error
          return false
        },
      )
      if (isReady && current === life) return
    }
  }
  try {
    await ready()
  } catch (error) {
    throw new Error(`The service did not start:\n${output}`, { cause: error })
  }
  return {
    url,
    get pid() {
      return life.child.pid ?? 0
    },
    get output() {
      return output
    },
    ready,
    async kill(signal) {
      life.child.kill(signal)
      return life.ended
    },
    async restart() {
      life = begin()
      await ready()
    },
    call: callerOf(url, token),
    async [Symbol.asyncDispose]() {
      life.child.kill('SIGKILL')
      await life.ended
    },
  }
}

/**
 * In an empty environment and a folder without `.env`: only what is named here counts. It ends when the test run is
 * killed.
 */
function run(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  const child = spawn(process.execPath, ['--import', followParent, main, ...args], {
    cwd: tmpdir(),
    env: { ...compileCache, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  child.channel?.unref()
  return child
}

function endOf(child: ChildProcess): Promise<{ readonly code: number | null; readonly signal: string | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
}

async function untilReady(url: string, ended: Promise<unknown>): Promise<void> {
  let isOver = false
  void ended.then(() => (isOver = true))
  const deadline = Date.now() + startsWithinMs
  while (Date.now() < deadline) {
    if (isOver) throw new Error('The process ended before it was ready')
    const status = await fetch(`${url}/health/ready`).then(
      (reply) => reply.status,
      () => undefined,
    )
    if (status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('The process was not ready in time')
}
