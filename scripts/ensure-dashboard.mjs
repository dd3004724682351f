/** Builds the dashboard when its source has changed since the last time. */
import { spawn } from 'node:child_process'
import path from 'node:path'
import { folder, isBuilt } from '../packages/dashboard/freshness.mjs'
import { root } from './bootstrap.mjs'
import { withInstallLock } from './install-lock.mjs'

/**
 * Resolves with what the build said when it failed; the service is of use without its dashboard, and says so there.
 *
 * @param {string} runtime the Node.js to build with
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string | undefined>}
 */
export async function ensureDashboard(runtime, env) {
  if (isBuilt()) return undefined
  /** @type {string | undefined} */
  let problem
  await withInstallLock(path.join(root, 'tmp', 'dashboard.lock'), async () => {
    // Whoever held the lock may have done the work.
    if (isBuilt()) return
    const started = Date.now()
    problem = await build(runtime, env)
    if (problem === undefined) {
      process.stderr.write(`Built the dashboard in ${((Date.now() - started) / 1000).toFixed(1)} s\n`)
    }
  })
  return problem
}

/**
 * @param {string} runtime
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string | undefined>}
 */
function build(runtime, env) {
  // In a process of its own: this one stays for as long as the service runs, and would keep Vite in memory.
  const child = spawn(runtime, [path.join(folder, 'build.mjs')], {
    env: { ...env, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code) => resolve(code === 0 ? undefined : output.trim() || `the build ended with ${code}`))
  })
}
