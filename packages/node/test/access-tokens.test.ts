import assert from 'node:assert/strict'
import { it } from 'node:test'
import { AccessTokens } from '../src/access-tokens.ts'
import type { AccessToken } from '../src/index.ts'

const tokenFor = (seconds: number | null): AccessToken => ({
  access_token: `at-${Math.random()}`,
  token_type: 'Bearer',
  expires_at: seconds === null ? null : new Date(Date.now() + seconds * 1000).toISOString(),
  scopes: [],
})

it('asks once for many callers, and not again while the token is fresh', async () => {
  const tokens = new AccessTokens()
  let asked = 0
  const ask = async (): Promise<AccessToken> => {
    asked += 1
    return tokenFor(3600)
  }
  const answers = await Promise.all(Array.from({ length: 50 }, () => tokens.get('a', {}, ask)))
  answers.push(await tokens.get('a', {}, ask))
  assert.equal(asked, 1)
  assert.equal(new Set(answers).size, 1)
  await tokens.get('b', {}, ask)
  assert.equal(asked, 2)
})

it('asks again when the token lives shorter than is wanted', async () => {
  const tokens = new AccessTokens()
  await tokens.get('a', {}, async () => tokenFor(120))
  const fresher = await tokens.get('a', { minTtlSeconds: 300 }, async () => tokenFor(600))
  assert.equal(await tokens.get('a', { minTtlSeconds: 300 }, async () => assert.fail('asked again')), fresher)
})

it('keeps a token that is told not to expire for a minute only', async (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const tokens = new AccessTokens()
  const first = await tokens.get('a', {}, async () => tokenFor(null))
  context.mock.timers.tick(59_000)
  assert.equal(await tokens.get('a', {}, async () => assert.fail('asked again')), first)
  context.mock.timers.tick(2_000)
  assert.notEqual(await tokens.get('a', {}, async () => tokenFor(null)), first)
})

it('does not bring back a token that was forgotten while it was asked for', async () => {
  const tokens = new AccessTokens()
  const late = Promise.withResolvers<AccessToken>()
  const early = tokens.get('a', {}, () => late.promise)
  tokens.forget('a')
  late.resolve(tokenFor(3600))
  await early
  let asked = false
  await tokens.get('a', {}, async () => {
    asked = true
    return tokenFor(3600)
  })
  assert.ok(asked)
})

it('remembers no failure, and tells every caller of it', async () => {
  const tokens = new AccessTokens()
  const fail = async (): Promise<never> => Promise.reject(new Error('away'))
  const answers = await Promise.allSettled([tokens.get('a', {}, fail), tokens.get('a', {}, fail)])
  assert.ok(answers.every(({ status }) => status === 'rejected'))
  await tokens.get('a', {}, async () => tokenFor(60))
})
