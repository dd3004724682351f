import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { startSandbox, type Sandbox } from '@connector-oauth/sandbox'
import pg from 'pg'
import { consentAt } from '../support/consent.ts'
import {
  accessTokenOf,
  addProvider,
  connectedId,
  depart,
  readToken,
  returnWithBearer,
} from '../support/process-flow.ts'
import { deploymentOf, type Deployment, type ServiceProcess } from '../support/service-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

const clientId = 'many-processes'
const clientSecret = 'the-secret-of-many-processes'

let database: TestDatabase
let sandbox: Sandbox
let processes: readonly ServiceProcess[]
let deployment: Deployment
let slug: string

before(async () => {
  database = await createTestDatabase()
  sandbox = await startSandbox({
    port: 0,
    clients: [{ clientId, clientSecret, redirectUris: [] }],
  })
  deployment = deploymentOf(database.databaseUrl, { ALLOWED_PRIVATE_HOSTS: new URL(sandbox.issuer).host })
  processes = await Promise.all([1, 2, 3].map(() => deployment.start()))
  const provider = await addProvider(nth(0), {
    display_name: 'Sandbox',
    issuer: sandbox.issuer,
    default_scopes: ['openid', 'profile', 'offline_access'],
    client_id: clientId,
    client_secret: clientSecret,
    account: { from: 'id_token', id: 'sub' },
  })
  slug = provider.slug
  sandbox.addRedirectUri(clientId, provider.redirectUri)
})
after(async () => {
  for (const process of processes) await process[Symbol.asyncDispose]()
  await sandbox.close()
  await database.drop()
})

/** The processes by turns. */
function nth(index: number): ServiceProcess {
  const process = processes[index % processes.length]
  assert.ok(process)
  return process
}

async function run(text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: database.adminUrl })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

async function connect(): Promise<string> {
  const callback = await consentAt(await depart(nth(0), slug))
  const id = await connectedId(await returnWithBearer(nth(1), callback))
  assert.ok(id)
  return id
}

it('refreshes once when callers of three processes find one token expired', async () => {
  const id = await connect()
  const first = await accessTokenOf(await readToken(nth(2), id))
  await run(`update connectors set access_token_expires_at = now() where connector_id = '${id}'`)
  sandbox.behave({ replyAfterMs: 300 })
  const countBefore = sandbox.counts.refreshes
  const tokens = await Promise.all(
    Array.from({ length: 120 }, async (_, index) => accessTokenOf(await readToken(nth(index), id))),
  )
  sandbox.behave({ replyAfterMs: 0 })
  assert.equal(sandbox.counts.refreshes - countBefore, 1)
  assert.equal(sandbox.counts.reuseDetections, 0)
  assert.equal(new Set(tokens).size, 1)
  assert.notEqual(tokens[0], first)
  const profile = await fetch(`${sandbox.issuer}/api/v1/profile`, { headers: { authorization: `Bearer ${tokens[0]}` } })
  assert.equal(profile.status, 200)
  // The one that was stored is the one that rotates on: a lost update would show as reuse.
  await run(`update connectors set access_token_expires_at = now() where connector_id = '${id}'`)
  await accessTokenOf(await readToken(nth(0), id))
  assert.equal(sandbox.counts.reuseDetections, 0)
})

it('makes one token request when callbacks with one state reach three processes at once', async () => {
  const callback = await consentAt(await depart(nth(0), slug))
  const countBefore = sandbox.counts.tokenRequests
  const [{ n: connectorsBefore } = {}] = await run('select count(*)::int as n from connectors')
  const replies = await Promise.all(Array.from({ length: 50 }, (_, index) => returnWithBearer(nth(index), callback)))
  const statuses = replies.map((reply) => reply.status).toSorted((one, other) => one - other)
  assert.equal(sandbox.counts.tokenRequests - countBefore, 1)
  assert.deepEqual(statuses, [200, ...Array.from({ length: 49 }, () => 400)])
  for (const reply of replies) {
    const body = (await reply.json()) as { code?: string }
    if (reply.status !== 200) assert.equal(body.code, 'invalid_state')
  }
  const [{ n: connectorsAfter } = {}] = await run('select count(*)::int as n from connectors')
  assert.equal(connectorsAfter, Number(connectorsBefore) + 1)
})

it('gives a tenant one first data key when three processes seal for it at once', async () => {
  const tenants = Array.from({ length: 8 }, (_, index) => `tenant-${index}`)
  const provider = {
    display_name: 'By hand',
    authorization_url: `${sandbox.issuer}/auth`,
    token_url: `${sandbox.issuer}/token`,
    client_id: clientId,
  }
  for (const tenant of tenants) {
    const token = await deployment.token({ tenant })
    const added = await Promise.all(
      processes.map((process) =>
        addProvider(process, { ...provider, client_secret: `secret of ${tenant}` }, { token }),
      ),
    )
    for (const { slug: own } of added) {
      for (const process of processes) {
        // Starting needs the secret opened.
        const location = await depart(process, own, {}, { token })
        assert.ok(location.startsWith(sandbox.issuer))
      }
    }
  }
  const rows = await run(`select count(*)::int as n from data_keys where tenant_id like 'tenant-%' group by tenant_id`)
  assert.deepEqual(
    rows,
    tenants.map(() => ({ n: 1 })),
  )
})
