import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { newBrowser } from './support/browser.ts'
import {
  authorizationRequest,
  callApi,
  connect,
  jsonOf,
  refreshFields,
  sandboxFor,
  tokenRequest,
  tokensOf,
} from './support/flow.ts'

function storeFileFor(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-store-'))
  test.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'state', 'sandbox.json')
}

it('keeps grants, tokens, users and keys over a restart', async (test) => {
  const storeFile = storeFileFor(test)
  const before = await sandboxFor(test, { storeFile })
  const browser = newBrowser()
  const tokens = await connect(before, {}, browser)
  const keys = await jsonOf(await fetch(`${before.issuer}/jwks`))
  await before.close()

  const after = await sandboxFor(test, { storeFile })
  assert.deepEqual(await jsonOf(await fetch(`${after.issuer}/jwks`)), keys)
  assert.equal((await jsonOf(await callApi(after, '/me', tokens.access_token)))['name'], 'Ada')
  const refreshed = await tokenRequest(after, refreshFields(tokens.refresh_token))
  assert.equal(refreshed.status, 200)
  assert.match((await browser.open(authorizationRequest(after).url)).text, /Allow/)
  assert.equal((await tokenRequest(after, refreshFields(tokens.refresh_token))).status, 400)
  assert.equal(after.counts.reuseDetections, 1)
})

it('has written a new refresh token before the caller sees it', async (test) => {
  const storeFile = storeFileFor(test)
  const sandbox = await sandboxFor(test, { storeFile })
  const { refresh_token } = await connect(sandbox)
  const next = await tokensOf(await tokenRequest(sandbox, refreshFields(refresh_token)))
  // Read as after a crash: without closing.
  const state = readFileSync(storeFile, 'utf8')
  assert.ok(state.includes(`RefreshToken:${next.refresh_token}`))
  assert.match(state, new RegExp(`"RefreshToken:${refresh_token}":{"payload":{[^}]*"consumed":\\d+`))
})

it('keeps its file to the owner, and leaves no draft beside it', async (test) => {
  const storeFile = storeFileFor(test)
  const sandbox = await sandboxFor(test, { storeFile })
  await connect(sandbox)
  assert.equal(statSync(storeFile).mode & 0o777, 0o600)
  assert.equal(existsSync(`${storeFile}.${process.pid}.tmp`), false)
})

it('starts afresh from a broken file and sets it aside', async (test) => {
  const storeFile = storeFileFor(test)
  await (await sandboxFor(test, { storeFile })).close()
  for (const broken of ['{"version":1', '{"version":2}', 'null']) {
    writeFileSync(storeFile, broken)
    const sandbox = await sandboxFor(test, { storeFile })
    assert.equal(readFileSync(`${storeFile}.broken`, 'utf8'), broken)
    assert.ok((await connect(sandbox)).refresh_token)
    await sandbox.close()
  }
})

it('forgets everything without a file', async (test) => {
  const before = await sandboxFor(test)
  const { refresh_token } = await connect(before)
  await before.close()
  const after = await sandboxFor(test)
  assert.equal((await tokenRequest(after, refreshFields(refresh_token))).status, 400)
})
