import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { publint } from 'publint'

const root = path.join(import.meta.dirname, '..')
const modules = path.join(root, '../../node_modules')
const gzippedBytesAtMost = 7_000

let folder: string
let tarball: string

before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'connector-oauth-package-'))
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], root)) as {
    filename: string
    files: { path: string }[]
  }[]
  tarball = path.join(folder, packed?.filename ?? '')
  const names = (packed?.files ?? []).map((file) => file.path)
  assert.deepEqual(names.filter((name) => !/^dist\/[\w-]+(\.js|\.d\.ts)$/.test(name)).toSorted(), [
    'README.md',
    'package.json',
  ])
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  run('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', tarball], folder)
})
after(() => rmSync(folder, { recursive: true, force: true }))

function run(program: string, parameters: readonly string[], cwd: string): string {
  const done = spawnSync(program, parameters, { cwd, encoding: 'utf8', shell: process.platform === 'win32' })
  assert.equal(done.status, 0, `${program}: ${done.stdout}${done.stderr}`)
  return done.stdout
}

const gzippedBytes = (file: string): number =>
  gzipSync(readFileSync(path.join(root, 'dist', file)), { level: 9 }).length

describe('the package', () => {
  it('is packed as publint and attw want it', async () => {
    const { messages } = await publint({ pkgDir: root, strict: true })
    assert.deepEqual(messages, [])
    run('attw', [tarball, '--profile', 'esm-only', '--no-emoji'], root)
  })

  it('has no dependencies, and is imported in a clean folder without a browser', () => {
    const installed = JSON.parse(run('npm', ['ls', '--all', '--json'], folder)) as { dependencies: object }
    assert.deepEqual(Object.keys(installed.dependencies), ['@connector-oauth/browser'])
    const program = `const sdk = await import('@connector-oauth/browser'); console.log(Object.keys(sdk).sort().join())`
    assert.equal(
      run(process.execPath, ['--input-type=module', '--eval', program], folder).trim(),
      'ConnectError,connect,connectByRedirect,createConnectLink,finishConnect,resumeConnect',
    )
  })

  it('is type-checked where it is installed, and says what is missing', () => {
    mkdirSync(path.join(folder, 'node_modules/@types'))
    for (const name of ['@types/react', 'csstype', 'react']) {
      symlinkSync(path.join(modules, name), path.join(folder, 'node_modules', name), 'junction')
    }
    writeFileSync(path.join(folder, 'use.ts'), use)
    const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--types', '']
    const environment = ['--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022,dom']
    run('tsc', [...options, ...environment, 'use.ts'], folder)
  })

  it('is as small as its page says', () => {
    const bytes = gzippedBytes('index.js')
    assert.ok(bytes <= gzippedBytesAtMost, `${bytes} bytes gzipped, more than ${gzippedBytesAtMost}`)
    const page = readFileSync(path.join(root, 'README.md'), 'utf8')
    assert.ok(
      page.includes(`${(bytes / 1000).toFixed(1)} KB minified and gzipped`),
      `the page does not say ${bytes} bytes`,
    )
    const more = gzippedBytes('react.js')
    assert.ok(
      page.includes(`the React bindings ${(more / 1000).toFixed(1)} KB more`),
      `the page does not say ${more} bytes`,
    )
  })
})

const use = `
import { connect, ConnectError, finishConnect, type ConnectFailure, type Connected } from '@connector-oauth/browser'
import { useConnect } from '@connector-oauth/browser/react'
const where = { baseUrl: '/api-proxy', spaceId: 's', collectionId: 'c' }
export const connected: Promise<Connected> = connect({ ...where, provider: 'google' })
// @ts-expect-error: the collection is missing
void connect({ baseUrl: '/api-proxy', spaceId: 's' })
export const reason = (error: unknown): ConnectFailure | undefined => error instanceof ConnectError ? error.reason : undefined
export async function finish(): Promise<string> {
  const found = await finishConnect({ baseUrl: '/api-proxy' })
  return found.kind === 'connected' ? (found.account.name ?? found.missingScopes.join()) : found.kind
}
export function All(): void {
  const all = useConnect(where)
  void all.connect()
  void all.connect({ provider: 'google' })
  const some = useConnect({ baseUrl: '/api-proxy' })
  void some.connect({ spaceId: 's', collectionId: 'c' })
  // @ts-expect-error: the space was said nowhere
  void some.connect({ collectionId: 'c' })
  // @ts-expect-error: nor was anything
  void some.connect()
}
`
