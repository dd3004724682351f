import { randomUUID } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { serverFlags } from '../../packages/server/bin/runtime.mjs'
import { callerOf, freePort } from '../../packages/server/test/support/service.ts'
import {
  deploymentOf,
  type Deployment,
  type ServiceProcess,
} from '../../packages/server/test/support/service-process.ts'
import { childOf, scriptPath, start, type Server } from './child.ts'

const followParent = new URL('../../packages/server/bin/follow-parent.mjs', import.meta.url).href
const main = fileURLToPath(new URL('../../packages/server/src/main.ts', import.meta.url))
const startsWithinMs = 30_000

/** The real service in production mode, in a process of its own. */
export interface BenchService extends Server {
  readonly deployment: Deployment
  readonly call: ServiceProcess['call']
}

export interface ServiceOptions {
  /** Without one the service brings the embedded PostgreSQL along, in `dataDir`. */
  readonly databaseUrl?: string
  readonly dataDir?: string
  /** `host:port` of stand-ins that it may call. */
  readonly privateHosts?: readonly string[]
  /** Another one's keys and secrets, to serve from the same database. */
  readonly deployment?: Deployment
  /** Another composition of the service; it is started with the same settings. */
  readonly script?: string
  /** A folder for the CPU profile that it writes when it ends. */
  readonly profileTo?: string | undefined
}

/** Starts the service. Its log goes to a file, as a production log goes somewhere. */
export async function startService(options: ServiceOptions): Promise<BenchService> {
  const deployment =
    options.deployment ??
    deploymentOf(options.databaseUrl ?? '', {
      ALLOWED_PRIVATE_HOSTS: (options.privateHosts ?? []).join(','),
      ...(options.dataDir !== undefined && { DATA_DIR: options.dataDir }),
    })
  const port = await freePort()
  const folder = mkdtempSync(path.join(tmpdir(), 'connector-oauth-bench-'))
  const log = openSync(path.join(folder, 'log'), 'a')
  const profiling = options.profileTo === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profileTo}`]
  const program = options.script === undefined ? [main, 'serve'] : [scriptPath(options.script)]
  const child = childOf(
    start([...serverFlags, ...profiling, '--import', followParent, ...program], {
      cwd: folder,
      env: { ...deployment.env, PORT: String(port) },
      stdio: ['ignore', log, log, 'ipc'],
    }),
  )
  closeSync(log)
  const url = `http://127.0.0.1:${port}`
  const service = {
    ...child,
    url,
    deployment,
    call: callerOf(url, () => deployment.token()),
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  await untilReady(url)
  return service
}

async function untilReady(url: string): Promise<void> {
  const deadline = Date.now() + startsWithinMs
  while (Date.now() < deadline) {
    const isReady = await fetch(`${url}/health/ready`).then(
      (reply) => reply.status === 200,
      () => false,
    )
    if (isReady) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('The service was not ready in time')
}

/** A tenant of the bench with a provider of its own. */
export interface BenchTenant {
  readonly name: string
  readonly token: string
  readonly providerSlug: string
}

/** The client registration at the stand-in, which looks at neither. */
export const providerApp = { client_id: 'bench', client_secret: 'the-secret-of-the-bench' }

/** Adds tenants, each with the stand-in at `provider` as a custom provider. */
export async function addTenants(
  service: BenchService,
  provider: string,
  count: number,
): Promise<readonly BenchTenant[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const name = `tenant-${index}`
      const token = await service.deployment.token({ tenant: name })
      const data = (await created(
        service.call('POST', '/v1/admin/connector-providers', {
          token,
          body: {
            display_name: 'Stand-in',
            authorization_url: `${provider}/authorize`,
            token_url: `${provider}/token`,
            api_base_url: `${provider}/api`,
            default_scopes: ['read'],
            account: { from: 'token_reply', id: 'access_token' },
            ...providerApp,
          },
        }),
      )) as { provider_slug: string }
      return { name, token, providerSlug: data.provider_slug }
    }),
  )
}

/** A connector with a token that needs no refresh while the bench runs. */
export interface BenchConnector {
  readonly tenant: BenchTenant
  readonly connectorId: string
  readonly spaceId: string
  readonly collectionId: string
  readonly accessToken: string
  /** Without the prefix of the host. */
  readonly path: string
}

/** Imports so many connectors for each tenant, each into a space of its own. */
export async function addConnectors(
  service: BenchService,
  tenants: readonly BenchTenant[],
  each: number,
): Promise<readonly BenchConnector[]> {
  const all: BenchConnector[] = []
  for (let index = 0; index < each; index += 1) {
    all.push(...(await Promise.all(tenants.map((tenant) => addConnector(service, tenant)))))
  }
  return all
}

async function addConnector(service: BenchService, tenant: BenchTenant): Promise<BenchConnector> {
  const spaceId = randomUUID()
  const collectionId = randomUUID()
  const base = `/v1/spaces/${spaceId}/collections/${collectionId}/connectors`
  // As long as the tokens of many providers.
  const accessToken = `token-${randomUUID()}${randomUUID()}${randomUUID()}${randomUUID()}`
  const expiresAt = new Date(Date.now() + 24 * 60 * 60_000).toISOString()
  const data = (await created(
    service.call('POST', base, {
      token: tenant.token,
      headers: { 'idempotency-key': randomUUID() },
      body: {
        provider_slug: tenant.providerSlug,
        credential: { access_token: accessToken, refresh_token: randomUUID(), expires_at: expiresAt, scopes: ['read'] },
      },
    }),
  )) as { id: string }
  return { tenant, connectorId: data.id, spaceId, collectionId, accessToken, path: `${base}/${data.id}` }
}

/** The `data` of a 201, which the contract describes. Throws on anything else. */
async function created(reply: Promise<Response>): Promise<unknown> {
  const response = await reply
  const body = await response.text()
  if (response.status !== 201) throw new Error(`The bench could not prepare: ${response.status} ${body}`)
  return (JSON.parse(body) as { data: unknown }).data
}
