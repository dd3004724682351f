import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { it } from 'node:test'
import { readConfig, SettingsError, type Config } from '../src/config.ts'

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`
const secret = 'a secret of more than thirty-two bytes'
const production = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://connect.example',
  ENCRYPTION_KEYS: key('k1'),
  AUTH_JWT_SECRET: secret,
}

const read = (env: Readonly<Record<string, string>>): Config => readConfig(env, ['google', 'google-drive', 'github'])

/** The problems that a start with these settings would show. */
function problemsOf(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    read(env)
  } catch (error) {
    assert.ok(error instanceof SettingsError)
    return error.problems
  }
  return []
}

it('needs no setting in development', () => {
  const config = read({})
  assert.deepEqual(
    [config.host, config.port, config.publicUrl, config.databaseUrl, config.logLevel, config.limitsRequests],
    ['127.0.0.1', 3000, 'http://localhost:3000', undefined, 'info', true],
  )
  assert.deepEqual(
    [config.auth.tenantClaim, config.auth.defaultTenant, config.auth.defaultScope, config.auth.cookie],
    ['tenant_id', 'default', 'connectors:connect connectors:read connectors:use connectors:manage', undefined],
  )
  assert.match(config.dataDir, /\/data$/)
})

it('treats an empty variable as unset', () => {
  assert.equal(read({ PORT: '', PUBLIC_URL: '', AUTH_COOKIE: '' }).port, 3000)
})

const bad: Readonly<Record<string, readonly string[]>> = {
  NODE_ENV: ['prod'],
  PORT: ['-1', '65536', 'http', '3.5'],
  PUBLIC_URL: ['connect.example', 'ftp://x', 'https://a/?x=1', 'https://a/#x', 'https://user@a'],
  DATABASE_URL: ['mysql://localhost/x', 'localhost', 'postgres://['],
  ENCRYPTION_KEYS: [
    'no-colon',
    `short:${Buffer.alloc(31).toString('base64')}`,
    'k1:not base64!',
    `${key('k1')},${key('k1')}`,
    `:${Buffer.alloc(32, 1).toString('base64')}`,
  ],
  AUTH_JWT_SECRET: ['short'],
  AUTH_JWKS_URL: ['issuer.example', 'ftp://issuer.example/jwks'],
  METRICS_PORT: ['0', '65536', 'off', '3000'],
  METRICS_PUBLIC: ['yes', '1'],
  DRAIN_DELAY_SECONDS: ['-1', '301', 'soon'],
  OTEL_EXPORTER_OTLP_ENDPOINT: ['collector:4318', 'grpc://collector', 'http://a/?x=1', 'https://user@a'],
  AUTH_DEFAULT_TENANT: ['has space', 'x'.repeat(129)],
  AUTH_COOKIE: ['a;b', 'a b'],
  // Good by itself, but nobody is named to sign people in.
  DASHBOARD_OIDC_CLIENT_ID: ['has space', 'dashboard'],
  DASHBOARD_OIDC_SCOPE: ['openid  email', ' openid', 'a"b'],
  ALLOWED_REDIRECT_URIS: ['http://app.example/x', 'https://*.example', 'https://a/#x', 'nonsense', 'https://u@a/'],
  ALLOWED_ORIGINS: ['https://app.example/', 'app.example', '*', 'https://app.example/path'],
  ALLOWED_PRIVATE_HOSTS: ['localhost', '10.0.0.0/8:80', 'http://localhost:1', 'localhost:x'],
  RATE_LIMITS: ['none', 'true'],
  LOG_LEVEL: ['loud'],
  PROVIDER_NOBODY_CLIENT_ID: ['x'],
  PROVIDER_GITHUB_CLIENT_SECRET: ['x'],
}
for (const [name, values] of Object.entries(bad)) {
  it(`names ${name} when it is bad`, () => {
    for (const value of values) {
      const problems = problemsOf({ [name]: value })
      assert.ok(problems.length > 0, value)
      const about = name.replace(/_CLIENT_SECRET$/, '_CLIENT_ID')
      for (const problem of problems) assert.ok(problem.startsWith(`${about}: `), problem)
    }
  })
}

it('names every bad variable at once', () => {
  const env = {
    PORT: 'x',
    PUBLIC_URL: 'x',
    AUTH_JWT_SECRET: 'x',
    ALLOWED_ORIGINS: '*',
    LOG_LEVEL: 'x',
    DATABASE_URL: 'x',
  }
  const named = new Set(problemsOf(env).map((problem) => problem.replace(/:.*/, '')))
  assert.deepEqual([...named].toSorted(), Object.keys(env).toSorted())
})

it('never shows a secret in a problem', () => {
  const env = { AUTH_JWT_SECRET: 'short-canary', ENCRYPTION_KEYS: 'canary-key', DATABASE_URL: 'mysql://u:canary@h/d' }
  assert.ok(problemsOf(env).length >= 3)
  assert.ok(!problemsOf(env).join('\n').includes('canary'))
})

it('requires in production what development generates', () => {
  const named = problemsOf({ NODE_ENV: 'production' }).map((problem) => problem.split(':', 1)[0])
  for (const name of ['PUBLIC_URL', 'ENCRYPTION_KEYS', 'AUTH_JWT_SECRET']) assert.ok(named.includes(name), name)
  const { AUTH_JWT_SECRET: _, ...others } = production
  assert.deepEqual(problemsOf({ ...others, AUTH_JWKS_URL: 'https://issuer.example/jwks' }), [])
  assert.deepEqual(problemsOf(production), [])
})

it('refuses example keys', () => {
  for (const bytes of [Buffer.alloc(32), Buffer.alloc(32, 'key')]) {
    assert.equal(problemsOf({ ...production, ENCRYPTION_KEYS: `k1:${bytes.toString('base64')}` }).length, 1)
  }
})

it('has no default tenant in production, and takes http nowhere', () => {
  assert.equal(read(production).auth.defaultTenant, undefined)
  for (const more of [
    { PUBLIC_URL: 'http://connect.example' },
    { AUTH_JWT_SECRET: '', AUTH_JWKS_URL: 'http://issuer.example/jwks' },
    { ALLOWED_REDIRECT_URIS: 'http://localhost:1/x' },
  ]) {
    assert.equal(problemsOf({ ...production, ...more }).length, 1, JSON.stringify(more))
  }
})

it('takes one source of keys, not two', () => {
  const problems = problemsOf({ AUTH_JWT_SECRET: secret, AUTH_JWKS_URL: 'https://issuer.example/jwks' })
  assert.deepEqual(problems, ['AUTH_JWKS_URL: set either this or AUTH_JWT_SECRET, not both'])
})

it('reads provider apps by slug, upper-cased, with - as _', () => {
  const config = read({
    PROVIDER_GOOGLE_DRIVE_CLIENT_ID: 'drive',
    PROVIDER_GOOGLE_DRIVE_CLIENT_SECRET: 'drive-secret',
    PROVIDER_GOOGLE_DRIVE_SCOPES: 'a b,c',
    PROVIDER_GOOGLE_CLIENT_ID: 'google',
  })
  const drive = config.deploymentApps.get('google-drive')
  assert.deepEqual(
    [drive?.clientId, drive?.clientSecret?.reveal(), drive?.scopes],
    ['drive', 'drive-secret', ['a', 'b', 'c']],
  )
  assert.equal(config.deploymentApps.get('google')?.clientId, 'google')
  assert.ok(!JSON.stringify(config.deploymentApps.get('google-drive')).includes('drive-secret'))
})

it('reads what an operator fixes in a provider’s addresses', () => {
  const app = { PROVIDER_GITHUB_CLIENT_ID: 'github' }
  const fixed = read({ ...app, PROVIDER_GITHUB_URL_VARIABLES: 'domain=acme.example region=eu,x=a=b' })
  const expected = { domain: 'acme.example', region: 'eu', x: 'a=b' }
  assert.deepEqual(fixed.deploymentApps.get('github')?.variables, expected)
  assert.deepEqual(read(app).deploymentApps.get('github')?.variables, {})
  for (const pairs of ['domain', '=x', 'Domain=x', 'domain=']) {
    const problems = problemsOf({ ...app, PROVIDER_GITHUB_URL_VARIABLES: pairs })
    assert.match(problems.join(), /^PROVIDER_GITHUB_URL_VARIABLES: /, pairs)
  }
})

it('lets the dashboard sign people in at an issuer that browsers can trust', () => {
  const signIn = (issuer: string) => ({ AUTH_ISSUER: issuer, DASHBOARD_OIDC_CLIENT_ID: 'dashboard' })
  assert.deepEqual(read({ ...signIn('https://issuer.example/realm'), AUTH_AUDIENCE: 'api' }).dashboardSignIn, {
    issuer: 'https://issuer.example/realm',
    clientId: 'dashboard',
    scope: 'openid',
    audience: 'api',
  })
  assert.equal(read({ AUTH_ISSUER: 'https://issuer.example' }).dashboardSignIn, undefined)
  for (const issuer of [
    'our-platform',
    'https://issuer.example/?realm=1',
    'https://issuer.example/#x',
    'ftp://issuer',
  ]) {
    assert.match(problemsOf(signIn(issuer)).join(), /^DASHBOARD_OIDC_CLIENT_ID: AUTH_ISSUER /, issuer)
  }
  assert.deepEqual(problemsOf(signIn('http://localhost:4000')), [])
  assert.equal(problemsOf({ ...production, ...signIn('http://issuer.example') }).length, 1)
})

it('the first key seals, all open, in the order they are given', () => {
  const config = read({ ENCRYPTION_KEYS: `${key('k2')}, ${key('k1')}` })
  assert.deepEqual(
    config.encryptionKeys.map(({ id }) => id),
    ['k2', 'k1'],
  )
})

it('keys of key services are named, not held, and a server of transit keys must be named too', () => {
  const arn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
  const google = 'projects/p/locations/global/keyRings/r/cryptoKeys/k'
  const entries = `a:aws-kms:${arn},b:aws-kms:alias/tokens@us-east-1,c:gcp-kms:${google},d:vault-transit:team/transit/tokens`
  const config = read({ ENCRYPTION_KEYS: entries, VAULT_ADDR: 'https://vault.example/', VAULT_TOKEN: 'hvs.secret' })
  assert.deepEqual(config.encryptionKeys, [
    { id: 'a', service: 'aws-kms', name: arn, region: undefined },
    { id: 'b', service: 'aws-kms', name: 'alias/tokens', region: 'us-east-1' },
    { id: 'c', service: 'gcp-kms', name: google },
    { id: 'd', service: 'vault-transit', mount: 'team/transit', name: 'tokens' },
  ])
  assert.equal(config.transit?.address, 'https://vault.example')
  assert.ok(!JSON.stringify(config).includes('hvs.secret'))
  assert.throws(() => read({ ENCRYPTION_KEYS: entries }), /VAULT_ADDR[\s\S]*VAULT_TOKEN/)
  for (const entry of ['a:aws-kms:', 'a:gcp-kms:k', 'a:vault-transit:k', 'a:other-kms:k']) {
    assert.throws(() => read({ ENCRYPTION_KEYS: entry }), SettingsError, entry)
  }
})

it('reads keys from a file, one a line, that others may not use', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'connector-oauth-config-'))
  const file = path.join(folder, 'keys')
  try {
    await writeFile(file, `# newest first\n${key('k2')}\n\n${key('k1')}\n`, { mode: 0o640 })
    const { encryptionKeys } = read({ ENCRYPTION_KEYS_FILE: file })
    assert.deepEqual(
      encryptionKeys.map(({ id }) => id),
      ['k2', 'k1'],
    )
    assert.throws(() => read({ ENCRYPTION_KEYS_FILE: file, ENCRYPTION_KEYS: key('k1') }), /not both/)
    await chmod(file, 0o644)
    assert.throws(() => read({ ENCRYPTION_KEYS_FILE: file }), /ENCRYPTION_KEYS_FILE: .*chmod o=/)
    assert.throws(() => read({ ENCRYPTION_KEYS_FILE: `${file}-absent` }), /cannot be read \(ENOENT\)/)
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('reads lists with spaces around their commas, and drops the slash at the end of PUBLIC_URL', () => {
  const config = read({
    ALLOWED_ORIGINS: ' https://a.example , https://b.example ',
    PUBLIC_URL: 'https://a.example/base/',
  })
  assert.deepEqual(config.allowedOrigins, ['https://a.example', 'https://b.example'])
  assert.equal(config.publicUrl, 'https://a.example/base')
})
