/**
 * What has to happen before anything else can run: dependencies installed, and a Node.js that runs TypeScript.
 * Plain JavaScript without dependencies: it has to work on Node.js 20 in a fresh clone.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { findRuntime, noRuntimeMessage } from '../packages/server/bin/runtime.mjs'
import { withInstallLock } from './install-lock.mjs'

/** The folder of the workspace. */
export const root = path.resolve(fileURLToPath(import.meta.url), '../..')

/** Something the person at the keyboard has to put right; printed without a stack. */
class BootstrapError extends Error {}

/**
 * Installs what is missing or stale and returns the Node.js to go on with, and the environment for it.
 *
 * @param {{ tools: boolean }} needs whether the tools for checks and tests are needed as well
 */
export async function bootstrap(needs) {
  refuseOldNode()
  if (!isInstalled(needs.tools)) {
    await withInstallLock(path.join(root, 'tmp', 'install.lock'), async () => {
      // Whoever held the lock may have done the work.
      if (!isInstalled(needs.tools)) await install(needs.tools)
    })
  }
  const runtime = findRuntime(root)
  if (runtime === undefined) throw new BootstrapError(noRuntimeMessage)
  const folders = [path.dirname(runtime), path.join(root, 'node_modules', '.bin'), process.env.PATH]
  return { runtime, env: { ...process.env, PATH: folders.join(path.delimiter) } }
}

/**
 * Runs `main` and turns its outcome into the exit code.
 *
 * @param {() => Promise<number>} main
 */
export async function exitWith(main) {
  try {
    process.exitCode = await main()
  } catch (error) {
    console.error(error instanceof BootstrapError ? error.message : error)
    process.exitCode = 1
  }
}

function refuseOldNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  throw new BootstrapError(`This needs Node.js 20.19 or newer; the running one is ${process.versions.node}.`)
}

/**
 * Whether `node_modules` holds what `package-lock.json` asks for. npm writes its own account of it last, so an
 * installation that was cut short has none.
 *
 * @param {boolean} tools
 */
function isInstalled(tools) {
  const account = path.join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(account)) return false
  const wanted = packagesIn(path.join(root, 'package-lock.json'))
  const present = packagesIn(account)
  for (const [place, entry] of Object.entries(wanted)) {
    if (!place.includes('node_modules/')) {
      // npm refuses a lock file that is behind, and says so better than a missing module would.
      if (!isSameRequest(entry, path.join(root, place, 'package.json'))) return false
      continue
    }
    const { version, optional, dev, devOptional } = entry
    const found = present[place]
    if (found === undefined ? !optional && !devOptional && (tools || !dev) : found.version !== version) return false
  }
  return findRuntime(root) !== undefined
}

/**
 * @param {LockEntry} entry
 * @param {string} file
 */
function isSameRequest(entry, file) {
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  return ['dependencies', 'devDependencies', 'optionalDependencies'].every(
    (kind) => JSON.stringify(sorted(entry[kind])) === JSON.stringify(sorted(manifest[kind])),
  )
}

/** @param {unknown} dependencies */
function sorted(dependencies) {
  return Object.entries(dependencies ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
}

/**
 * @typedef {{ version?: string, optional?: boolean, dev?: boolean, devOptional?: boolean } & Record<string, unknown>} LockEntry
 */

/**
 * @param {string} file
 * @returns {Record<string, LockEntry>}
 */
function packagesIn(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages
}

/** @param {boolean} tools */
async function install(tools) {
  const started = Date.now()
  const line = 'Installing dependencies with npm'
  const onTerminal = process.stderr.isTTY
  process.stderr.write(onTerminal ? line : `${line} …\n`)
  const seconds = () => Math.round((Date.now() - started) / 1000)
  const timer = setInterval(() => onTerminal && process.stderr.write(`\r${line} … ${seconds()} s`), 1000)
  const { code, output } = await runNpm([
    'ci',
    // Nothing in the tree needs its install scripts, and they are the usual way in for a poisoned package.
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    ...(tools ? ['--include=dev'] : []),
  ])
  clearInterval(timer)
  if (onTerminal) process.stderr.write('\n')
  if (code !== 0) throw new BootstrapError(`${output.trim()}\n\n${adviceFor(output)}`)
  process.stderr.write(`Installed in ${seconds()} s\n`)
}

/** @param {readonly string[]} parameters */
async function runNpm(parameters) {
  // Under `npm start` this is the npm that runs us, which need not be the first one on the PATH.
  const self = process.env.npm_execpath
  const [program, first] = self?.endsWith('.js') ? [process.execPath, [self]] : ['npm', []]
  const child = spawn(program, [...first, ...parameters], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32' && program === 'npm',
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }
  /** @type {number} */
  const code = await new Promise((resolve) => {
    child.once('error', (error) => {
      output += error.message
      resolve(1)
    })
    child.once('close', (status) => resolve(status ?? 1))
  })
  return { code, output }
}

/** @param {string} output */
function adviceFor(output) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network/.test(output)) {
    return 'npm could not reach its registry. Check the network, the proxy, and `npm config get registry`, and try again.'
  }
  if (/EUSAGE|in sync/.test(output)) {
    return 'package.json and package-lock.json disagree. Run `npm install --ignore-scripts` and try again.'
  }
  if (/EACCES|EPERM|EROFS/.test(output)) {
    return `npm may not write below ${root}. Give the folder to this user and try again.`
  }
  if (/ENOSPC/.test(output)) return 'The disk is full. Make room and try again.'
  if (/ENOENT/.test(output)) return 'npm could not be run. Install npm and try again.'
  return '`npm ci` failed; what it said stands above.'
}
