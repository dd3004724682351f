import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { it } from 'node:test'
import { decodeJwt, jwtVerify } from 'jose'
import { createTestDatabase } from '../support/test-database.ts'
import { runCommand, temporaryFolder } from './command.ts'

const secret = randomBytes(32).toString('base64url')
const encryptionKey = () => randomBytes(32).toString('base64')

it('--help everywhere: exit code 0, and the usage on stdout', async () => {
  const commands = [
    [],
    ['audit'],
    ['audit', 'verify'],
    ['serve'],
    ['migrate'],
    ['token'],
    ['keys'],
    ['keys', 'status'],
    ['providers'],
    ['login-link'],
    ['tenant'],
    ['tenant', 'erase'],
  ]
  const results = await Promise.all(commands.map((command) => runCommand([...command, '--help'])))
  for (const [index, { code, stdout }] of results.entries()) {
    assert.equal(code, 0, commands[index]?.join(' '))
    assert.match(stdout, /USAGE/i)
  }
})

it('wrong usage: exit code 2, the usage on stderr, and nothing on stdout', async () => {
  const wrong = [
    ['nonsense'],
    ['tenant', 'erase'],
    ['tenant', 'erase', 'acme', '--wait', 'long'],
    ['keys', 'nonsense'],
    ['serve', '--role', 'king'],
    ['serve', '--surprise'],
    ['token'],
    ['token', '--sub', 'ada'],
    ['token', '--sub', 'ada', '--tenant', 'acme', '--ttl', 'forever'],
    ['token', '--sub', 'ada', '--tenant', 'acme', '--scop', 'x'],
  ]
  const results = await Promise.all(wrong.map((command) => runCommand(command)))
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    assert.equal(code, 2, wrong[index]?.join(' '))
    assert.equal(stdout, '', wrong[index]?.join(' '))
    assert.match(stderr, /USAGE/i)
  }
})

it('no command at all and a group without its command are wrong usage', async () => {
  for (const command of [[], ['keys'], ['providers']]) assert.equal((await runCommand(command)).code, 2)
})

it('token prints one JWT and nothing else on stdout', async () => {
  const args = ['token', '--sub', 'ada', '--tenant', 'acme', '--scope', 'connectors:read', '--ttl', '90s']
  const env = { AUTH_JWT_SECRET: secret, AUTH_ISSUER: 'https://issuer.example', AUTH_AUDIENCE: 'connectors' }
  const { code, stdout } = await runCommand(args, env)
  assert.equal(code, 0)
  assert.match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  const { payload, protectedHeader } = await jwtVerify(stdout.trim(), Buffer.from(secret))
  assert.equal(protectedHeader.alg, 'HS256')
  assert.deepEqual(
    [payload.sub, payload['tenant_id'], payload['scope'], payload.iss, payload.aud],
    ['ada', 'acme', 'connectors:read', 'https://issuer.example', 'connectors'],
  )
  assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 90)
})

it('token lives 15 minutes with the default rights, unless told otherwise', async () => {
  const { stdout } = await runCommand(['token', '--sub', 'ada', '--tenant', 'acme'], { AUTH_JWT_SECRET: secret })
  const claims = decodeJwt(stdout.trim())
  assert.equal((claims.exp ?? 0) - (claims.iat ?? 0), 900)
  assert.equal(claims['scope'], 'connectors:connect connectors:read connectors:use connectors:manage')
})

it('token is for set-ups with a secret: 78 where tokens are signed elsewhere', async () => {
  const env = { AUTH_JWKS_URL: 'https://issuer.example/jwks' }
  const { code, stdout, stderr } = await runCommand(['token', '--sub', 'ada', '--tenant', 'acme'], env)
  assert.deepEqual([code, stdout], [78, ''])
  assert.match(stderr, /^AUTH_JWKS_URL: /)
})

it('token generates nothing in production: 78 without AUTH_JWT_SECRET', async () => {
  const { code, stdout, stderr } = await runCommand(['token', '--sub', 'a', '--tenant', 't'], {
    NODE_ENV: 'production',
  })
  assert.deepEqual([code, stdout], [78, ''])
  assert.match(stderr, /^AUTH_JWT_SECRET: /m)
})

it('keys generate prints a key that ENCRYPTION_KEYS takes', async () => {
  const { code, stdout } = await runCommand(['keys', 'generate', '--id', 'k7'])
  assert.equal(code, 0)
  const [id, base64 = ''] = stdout.trim().split(':')
  assert.equal(id, 'k7')
  assert.equal(Buffer.from(base64, 'base64').length, 32)
  const again = await runCommand(['keys', 'generate', '--id', 'k7'])
  assert.notEqual(again.stdout, stdout)
  const used = await runCommand(['token', '--sub', 'a', '--tenant', 't'], {
    AUTH_JWT_SECRET: secret,
    ENCRYPTION_KEYS: stdout.trim(),
  })
  assert.equal(used.code, 0)
})

it('keys status says which key wraps and which only unwraps, and no key material', async () => {
  const database = await createTestDatabase()
  try {
    const [first, second] = [encryptionKey(), encryptionKey()]
    const env = { DATABASE_URL: database.databaseUrl, ENCRYPTION_KEYS: `new:${first},old:${second}` }
    const { code, stdout, stderr } = await runCommand(['keys', 'status'], env)
    assert.equal(code, 0, stderr)
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.deepEqual(lines, [
      { key_id: 'new', state: 'wraps', data_keys: 0 },
      { key_id: 'old', state: 'unwraps', data_keys: 0 },
    ])
    assert.ok(!stdout.includes(first) && !stdout.includes(second))
  } finally {
    await database.drop()
  }
})

it('providers list names the catalogue, and providers check finds it sound', async () => {
  const list = await runCommand(['providers', 'list'])
  assert.equal(list.code, 0)
  for (const slug of ['google', 'github', 'slack']) assert.match(list.stdout, new RegExp(`^${slug} `, 'm'))
  const check = await runCommand(['providers', 'check'])
  assert.equal(check.code, 0, check.stderr)
})

it('migrate brings a database up to date, and says so when there is nothing to do', async () => {
  const database = await createTestDatabase()
  try {
    const { code, stdout, stderr } = await runCommand(['migrate'], { DATABASE_URL: database.databaseUrl })
    assert.deepEqual([code, stdout], [0, ''])
    assert.match(stderr, /up to date/)
  } finally {
    await database.drop()
  }
})

it('login-link prints one link under PUBLIC_URL and nothing else on stdout', async () => {
  const database = await createTestDatabase()
  try {
    const env = { DATABASE_URL: database.databaseUrl, PUBLIC_URL: 'https://connect.example', AUTH_JWT_SECRET: secret }
    const { code, stdout } = await runCommand(['login-link', '--tenant', 'acme'], env)
    assert.equal(code, 0)
    assert.match(stdout, /^https:\/\/connect\.example\/\S+\n$/)
  } finally {
    await database.drop()
  }
})

it('bad settings: exit code 78 and one line per problem that names the variable', async () => {
  const env = { PORT: 'x', LOG_LEVEL: 'loud', AUTH_JWT_SECRET: 'short', ALLOWED_ORIGINS: '*' }
  const { code, stdout, stderr } = await runCommand(['serve'], env)
  assert.deepEqual([code, stdout], [78, ''])
  const named = stderr
    .trim()
    .split('\n')
    .map((line) => line.replace(/:.*/, ''))
  assert.deepEqual(named.toSorted(), ['ALLOWED_ORIGINS', 'AUTH_JWT_SECRET', 'LOG_LEVEL', 'PORT'])
})

it('production without its settings: exit code 78, each missing variable named', async () => {
  const { code, stderr } = await runCommand(['serve'], { NODE_ENV: 'production' })
  assert.equal(code, 78)
  for (const name of ['PUBLIC_URL', 'ENCRYPTION_KEYS', 'AUTH_JWT_SECRET'])
    assert.match(stderr, new RegExp(`^${name}: `, 'm'))
})

it('a taken port: exit code 1, and the message names PORT', async () => {
  const database = await createTestDatabase()
  const occupant = createServer().listen(0, '127.0.0.1')
  try {
    await new Promise((resolve) => occupant.once('listening', resolve))
    const address = occupant.address()
    assert.ok(typeof address === 'object' && address !== null)
    const env = { PORT: String(address.port), DATABASE_URL: database.databaseUrl }
    const { code, stderr } = await runCommand(['serve'], env)
    assert.equal(code, 1, stderr)
    assert.match(stderr, new RegExp(`^PORT: ${address.port} is taken`, 'm'))
  } finally {
    occupant.close()
    await database.drop()
  }
})

it('a data folder that cannot be used: exit code 78, and the message names DATA_DIR', async () => {
  const folder = await temporaryFolder()
  try {
    const file = path.join(folder, 'file')
    await writeFile(file, '')
    for (const DATA_DIR of [file, path.join(file, 'below')]) {
      const { code, stderr } = await runCommand(['serve'], { DATA_DIR })
      assert.equal(code, 78, stderr)
      assert.match(stderr, /DATA_DIR/)
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('reads .env in the working folder, and the environment wins over it', async () => {
  const folder = await temporaryFolder()
  try {
    await writeFile(path.join(folder, '.env'), 'LOG_LEVEL=loud\nPORT=x\n')
    const { code, stderr } = await runCommand(['serve'], { LOG_LEVEL: 'info' }, folder)
    assert.equal(code, 78)
    assert.match(stderr, /^PORT: /)
    assert.ok(!stderr.includes('LOG_LEVEL'))
  } finally {
    await rm(folder, { recursive: true })
  }
})
