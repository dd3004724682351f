/**
 * The stages behind `npm test`. Without arguments: checks, then all tests. `--check`: the checks alone. Files: these
 * tests alone; parameters that begin with `--test-` go to `node --test`.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { buildCode, buildTypes } from '../packages/browser/scripts/build.ts'
import { buildNodePackage } from '../packages/node/scripts/build.ts'
import { withCompileCache } from '../packages/server/bin/runtime.mjs'
import { runChecks } from './checks.ts'
import { ensureChromium } from './ensure-chromium.ts'
import { ensureFirefox } from './ensure-firefox.ts'
import { startTestDatabase } from './test-cluster.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const parameters = process.argv.slice(2)
const chosen = parameters.filter((parameter) => !parameter.startsWith('--'))
const forRunner = parameters.filter((parameter) => parameter.startsWith('--test-'))

/** What to undo, last first, when the run ends or is broken off. */
const cleanups: (() => Promise<void>)[] = []
let cleaning: Promise<void> | undefined

function cleanUp(): Promise<void> {
  cleaning ??= (async () => {
    for (const undo of cleanups.toReversed()) await undo()
  })()
  return cleaning
}

async function breakOff(code: number): Promise<void> {
  await cleanUp()
  process.exit(code)
}

process.on('SIGINT', () => void breakOff(130))
process.on('SIGTERM', () => void breakOff(143))
// Whoever started this run was killed.
process.on('disconnect', () => void breakOff(143))
process.channel?.unref()

/** Runs a stage and prints how long it took. */
async function stage<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await work()
  console.log(`▸ ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return result
}

async function main(): Promise<number> {
  // Other packages are checked and tested against what it ships.
  await stage('packages', async () => {
    await buildCode()
    buildTypes()
    buildNodePackage()
  })
  const failedChecks = chosen.length === 0 ? await runChecks(stage) : []
  if (parameters.includes('--check')) return report(failedChecks)

  const files = chosen.length === 0 ? globSync('{packages,examples}/*/test/**/*.test.ts').toSorted() : chosen
  if (files.length === 0) throw new Error('No test files were found')
  // Half of what a test file, and each process it starts, does before its first test is reading TypeScript.
  const env: NodeJS.ProcessEnv = { ...withCompileCache(root, process.env), NO_COLOR: '1' }
  // Node obeys it before NO_COLOR.
  delete env['FORCE_COLOR']
  if (chosen.length === 0 || files.some((file) => /chromium|playwright|browser/i.test(readFileSync(file, 'utf8')))) {
    env['CHROMIUM_PATH'] = await stage('Chromium', ensureChromium)
  }
  if (chosen.length === 0 || files.some((file) => /firefox/i.test(file))) {
    env['FIREFOX_PATH'] = await stage('Firefox', ensureFirefox)
  }
  Object.assign(env, await stage('PostgreSQL with a migrated template', () => startTestDatabase(cleanups)))
  // No line of ours after this: the runner's own summary closes the output.
  const code = await runNodeTests(files, env)
  return report(failedChecks) || code
}

function report(failedChecks: readonly string[]): number {
  if (failedChecks.length > 0) console.log(`✖ failed checks: ${failedChecks.join(', ')}`)
  return failedChecks.length > 0 ? 1 : 0
}

async function runNodeTests(files: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child: ChildProcess = spawn(
    process.execPath,
    [
      '--test',
      '--test-reporter=spec',
      // One more than there are cores: some of them wait.
      `--test-concurrency=${Math.min(4, availableParallelism() + 1)}`,
      // A test that hangs fails instead of holding up the run.
      `--test-timeout=${process.env['TEST_SIZE'] === 'full' ? 3_600_000 : 300_000}`,
      `--import=${new URL('end-of-test-file.mjs', import.meta.url).href}`,
      ...forRunner,
      ...files,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'], env },
  )
  cleanups.push(async () => void child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  await cleanUp()
}
