import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { startTestService, type TestService } from '../../server/test/support/service.ts'

const run = promisify(execFile)
const root = path.join(import.meta.dirname, '..')
const workspace = path.join(root, '../..')
const bin = (name: string): string => path.join(workspace, 'node_modules', '.bin', name)
/** The packaged Node.js of other versions, as the workspace's own comes. */
const platform = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`

let service: TestService
let folder: string
let tarball: string
before(async () => {
  service = await startTestService()
  folder = mkdtempSync(path.join(tmpdir(), 'connector-oauth-package-'))
  const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root, encoding: 'utf8' })
  tarball = path.join(folder, (JSON.parse(packed) as [{ filename: string }])[0].filename)
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
  const wanted = [tarball, '@types/node@24', ...['20', '22'].map((major) => `node-${major}@npm:${platform}@${major}`)]
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...wanted], {
    cwd: folder,
  })
})
after(async () => {
  await service[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const program = `
import { ConnectorOAuth, ConnectorOAuthError, signToken, verifyWebhook, type Caller } from '@connector-oauth/node'

const client = new ConnectorOAuth({
  baseUrl: process.env['BASE'] ?? '',
  authorization: () =>
    signToken({ secret: process.env['SECRET'] ?? '', subject: 'ada', tenantId: 'acme', scope: ['connectors:read'] }),
})
const me: Caller = await client.me()
const slugs: string[] = (await client.providers()).map((provider) => provider.provider_slug)
const refusal: unknown = await client.admin.redirectUris().catch((error: unknown) => error)
const code: string = refusal instanceof ConnectorOAuthError ? refusal.code : 'none'
console.log(JSON.stringify({ subject: me.subject, code, known: slugs.includes('sandbox'), verify: typeof verifyWebhook }))
`

describe('the packed package', () => {
  it('holds code, types, a README and nothing else', async () => {
    const { stdout } = await run('tar', ['-tzf', tarball])
    const others = stdout
      .trim()
      .split('\n')
      .filter((name) => !/^package\/(dist\/[\w-]+\.(js|d\.ts)|package\.json|README\.md)$/.test(name))
    assert.deepEqual(others, [])
  })

  it('is what publint and attw expect of a package', async () => {
    await run(process.execPath, [bin('publint'), tarball, '--strict'])
    // An ES module alone: CommonJS gets it by import(), or by require() on Node.js 22 and newer.
    await run(process.execPath, [bin('attw'), tarball, '--profile', 'esm-only', '--no-emoji'])
  })

  it('has its types all with it', async () => {
    writeFileSync(path.join(folder, 'program.ts'), program)
    const config = {
      compilerOptions: { module: 'nodenext', target: 'es2022', strict: true, types: ['node'], outDir: 'out' },
      files: ['program.ts'],
    }
    writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config))
    await run(bin('tsc'), ['-p', folder]).catch((error: { stdout: string }) => assert.fail(error.stdout))
  })

  for (const major of ['20', '22', '24']) {
    it(`works in a clean folder on Node.js ${major}`, async () => {
      const runtime =
        major === '24' ? process.execPath : path.join(folder, 'node_modules', `node-${major}`, 'bin', 'node')
      const { stdout: version } = await run(runtime, ['--version'])
      assert.ok(version.startsWith(`v${major}.`), version)
      const env = { BASE: service.url, SECRET: service.jwtSecret?.reveal() ?? '' }
      const { stdout } = await run(runtime, [path.join(folder, 'out', 'program.js')], { env })
      assert.deepEqual(JSON.parse(stdout), { subject: 'ada', code: 'missing_right', known: true, verify: 'function' })
    })
  }
})
