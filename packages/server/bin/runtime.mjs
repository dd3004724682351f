/**
 * Finds the Node.js this program runs on, and runs it. Plain JavaScript without dependencies: it has to work on
 * Node.js 20, before anything is installed.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import path from 'node:path'

/** How the service runs: it gives back what only its start needed. */
export const serverFlags = ['--expose-gc']

/** Runs TypeScript as it is; the version that `optionalDependencies` of the workspace bring along. */
const neededMajor = 24

/**
 * The newest Node.js at hand: the one installed as a package below `root`, else the running one when it is new enough.
 * `undefined` when there is neither.
 *
 * @param {string} root the folder that holds `node_modules`
 */
export function findRuntime(root) {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const file = process.platform === 'win32' ? 'node.exe' : 'node'
  const packaged = path.join(root, 'node_modules', `node-${platform}-${process.arch}`, 'bin', file)
  // A program for another C library is there and yet does not run.
  if (existsSync(packaged) && spawnSync(packaged, ['--version'], { stdio: 'ignore' }).status === 0) return packaged
  return Number(process.versions.node.split('.')[0]) >= neededMajor ? process.execPath : undefined
}

/**
 * The environment of a program below `root`: in it Node.js keeps what it has compiled, which is half of what a start does. Where
 * the folder cannot be written it compiles anew.
 *
 * @param {string} root the folder that holds `node_modules`
 * @param {NodeJS.ProcessEnv} env
 */
export function withCompileCache(root, env) {
  return { NODE_COMPILE_CACHE: path.join(root, 'node_modules', '.cache', 'connector-oauth'), ...env }
}

/** What to say when {@link findRuntime} finds nothing. */
export const noRuntimeMessage =
  `This needs Node.js ${neededMajor}; no packaged one fits ${process.platform} on ${process.arch}, ` +
  `and the running one is ${process.versions.node}. Install Node.js ${neededMajor} or newer and try again.`

/**
 * Runs a program in this one's place until it ends, and returns the exit code for this process.
 *
 * Signals reach it through here and exactly once: it has a process group of its own, since a Ctrl-C that the terminal
 * sends to both, and this process forwards, would count as two. It notices our end by the closing of its IPC channel.
 *
 * @param {string} program
 * @param {readonly string[]} parameters
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {Promise<number>}
 */
export async function runInForeground(program, parameters, options = {}) {
  const child = spawn(program, parameters, {
    ...options,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    detached: process.platform !== 'win32',
  })
  /** @type {readonly NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']
  let last = { signal: '', at: 0 }
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    // npm may pass on what the terminal has sent to us already.
    if (signal === last.signal && Date.now() - last.at < 300) return
    last = { signal, at: Date.now() }
    child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal)
  }
  for (const signal of signals) process.on(signal, forward)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
    })
  })
}
