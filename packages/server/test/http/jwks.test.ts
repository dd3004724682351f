import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { after, before, it } from 'node:test'
import { exportJWK } from 'jose'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { startTestService, type TestService } from '../support/service.ts'
import { assertProblem, connectorsPath, signed, type Json } from './calls.ts'

let issuer: HostileProvider
let service: TestService
before(async () => {
  issuer = await startHostileProvider()
  service = await serviceWithKeysAt('/jwks')
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await issuer.close()
})

function serviceWithKeysAt(path: string): Promise<TestService> {
  const env = {
    AUTH_JWKS_URL: issuer.origin + path,
    AUTH_ISSUER: 'https://issuer.example',
    AUTH_AUDIENCE: 'connectors',
  }
  return startTestService({ env })
}

interface Pair {
  readonly kid: string
  readonly alg: string
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

const rsa = (kid: string, alg: string): Pair => ({ kid, alg, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) })
const ec: Pair = { kid: 'ec', alg: 'ES256', ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }
const ed: Pair = { kid: 'ed', alg: 'EdDSA', ...generateKeyPairSync('ed25519') }

async function publish(path: string, pairs: readonly Pair[]): Promise<void> {
  const keys = await Promise.all(
    pairs.map(async ({ kid, alg, publicKey }) => ({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' })),
  )
  issuer.answer(path, { json: { keys } })
}

const good = { iss: 'https://issuer.example', aud: 'connectors' }
const tokenBy = (at: TestService, pair: Pair, claims: Json = {}) =>
  signed(at, { ...good, ...claims }, { alg: pair.alg, kid: pair.kid }, pair.privateKey)
const list = (at: TestService, token: string) => at.call('GET', connectorsPath, { token })

it('takes RS256, PS256, ES256 and EdDSA by the key set', async () => {
  const pairs = [rsa('rs', 'RS256'), rsa('ps', 'PS256'), ec, ed]
  await publish('/jwks', pairs)
  for (const pair of pairs) assert.equal((await list(service, await tokenBy(service, pair))).status, 200, pair.alg)
  assert.equal(issuer.seenAt('/jwks').length, 1)
})

it('refuses an HS256 token signed with the public key', async () => {
  const pem = ec.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const token = await signed(service, good, { alg: 'HS256', kid: 'ec' }, Buffer.from(pem))
  await assertProblem(await list(service, token), 401, 'unauthorized')
})

it('checks issuer and audience when they are set', async () => {
  await publish('/jwks', [ec])
  for (const claims of [{ iss: 'https://other.example' }, { aud: 'others' }, { iss: undefined }, { aud: undefined }]) {
    await assertProblem(await list(service, await tokenBy(service, ec, claims)), 401, 'unauthorized')
  }
})

it('takes a key that the issuer has rotated in, and no longer the one it rotated out', async (test) => {
  const old = rsa('old', 'RS256')
  const fresh = rsa('new', 'RS256')
  await publish('/rotating', [old])
  await using rotating = await serviceWithKeysAt('/rotating')
  assert.equal((await list(rotating, await tokenBy(rotating, old))).status, 200)
  await publish('/rotating', [fresh])
  test.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  // An unknown key id is looked up again only after a while: anybody can send one.
  await assertProblem(await list(rotating, await tokenBy(rotating, rsa('unknown', 'RS256'))), 401, 'unauthorized')
  assert.equal(issuer.seenAt('/rotating').length, 1)
  test.mock.timers.tick(31_000)
  assert.equal((await list(rotating, await tokenBy(rotating, fresh))).status, 200)
  const withdrawn = await tokenBy(rotating, old, { jti: 'another' })
  await assertProblem(await list(rotating, withdrawn), 401, 'unauthorized')
})

it('answers 503 keys_unavailable while the key set cannot be fetched, and recovers by itself', async () => {
  await using down = await serviceWithKeysAt('/down')
  const token = await tokenBy(down, ec)
  for (const answer of [{ status: 500, json: {} }, { text: 'no JSON' }]) {
    issuer.answer('/down', answer)
    const reply = await list(down, token)
    assert.match(reply.headers.get('retry-after') ?? '', /^\d+$/)
    await assertProblem(reply, 503, 'keys_unavailable')
  }
  await publish('/down', [ec])
  assert.equal((await list(down, token)).status, 200)
})

it('offers no sign-in link where tokens are signed elsewhere', async () => {
  const reply = await fetch(`${service.url}/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login_code: 'x' }),
  })
  await assertProblem(reply, 404, 'not_found')
})
