import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { withCompileCache } from '../../bin/runtime.mjs'

const runtime = new URL('../../bin/runtime.mjs', import.meta.url).href
const follow = new URL('../../bin/follow-parent.mjs', import.meta.url).href

/** A program that counts signals for a while after the first, and tells. */
const counter = `
  let count = 0
  process.on('SIGTERM', () => {
    count += 1
    if (count === 1) setTimeout(() => { console.log('signals ' + count); process.exit(7) }, 400)
  })
  setInterval(() => {}, 1000)
  console.log('ready ' + process.pid)`

/** Starts a process group of its own in which `runInForeground` runs `program`. */
async function wrapped(program: string): Promise<{ wrapper: ChildProcess; ready: string; output: () => string }> {
  const text = `
    const { runInForeground } = await import(${JSON.stringify(runtime)})
    process.exitCode = await runInForeground(process.execPath, ['--import', ${JSON.stringify(follow)}, '--eval', ${JSON.stringify(program)}])`
  const wrapper = spawn(process.execPath, ['--input-type=module', '--eval', text], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  let output = ''
  wrapper.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
  })
  const [first] = (await once(wrapper.stdout, 'data')) as [string]
  return { wrapper, ready: first.trim(), output: () => output }
}

describe('the wrapper around the server', { timeout: 30_000 }, () => {
  it('passes on a signal once, also when the whole group gets it, and the exit code', async () => {
    for (const target of ['wrapper', 'group']) {
      const { wrapper, output } = await wrapped(counter)
      assert.ok(wrapper.pid)
      const exited = once(wrapper, 'close')
      process.kill(target === 'group' ? -wrapper.pid : wrapper.pid, 'SIGTERM')
      const [code] = (await exited) as [number]
      assert.match(output(), /signals 1$/m, target)
      assert.equal(code, 7, target)
    }
  })

  it('leaves no server behind when it is killed', async () => {
    const { wrapper, ready } = await wrapped(counter)
    // The server holds the other end of this pipe, so it closes with the last of the two.
    const closed = once(wrapper, 'close')
    wrapper.kill('SIGKILL')
    await closed
    assert.match(ready, /^ready \d+$/)
  })

  it('answers a death by signal as a shell does', async () => {
    const { wrapper } = await wrapped(`console.log('ready'); process.kill(process.pid, 'SIGKILL')`)
    const [code] = (await once(wrapper, 'close')) as [number]
    assert.equal(code, 137)
  })
})

describe('the folder for compiled code', () => {
  it('is filled by a first run, and is the one of whoever starts it where they name one', async () => {
    const root = mkdtempSync(path.join(tmpdir(), 'connector-oauth-root-'))
    try {
      const env = withCompileCache(root, {})
      const script = path.join(root, 'script.mjs')
      writeFileSync(script, 'export const answer = 42')
      await once(spawn(process.execPath, [script], { env, stdio: 'inherit' }), 'close')
      assert.notDeepEqual(readdirSync(path.join(root, 'node_modules', '.cache', 'connector-oauth')), [])
      assert.equal(withCompileCache(root, { NODE_COMPILE_CACHE: '/elsewhere' }).NODE_COMPILE_CACHE, '/elsewhere')
    } finally {
      rmSync(root, { recursive: true })
    }
  })
})
