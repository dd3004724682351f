/** `npm test`: installs what is missing, builds the dashboard when it is stale, then runs `run-tests.ts` on the Node.js that can. */
import path from 'node:path'
import { runInForeground } from '../packages/server/bin/runtime.mjs'
import { bootstrap, exitWith, root } from './bootstrap.mjs'
import { ensureDashboard } from './ensure-dashboard.mjs'

await exitWith(async () => {
  const { runtime, env } = await bootstrap({ tools: true })
  const problem = process.argv.includes('--check') ? undefined : await ensureDashboard(runtime, env)
  if (problem !== undefined) {
    console.error(`The dashboard could not be built:\n${problem}`)
    return 1
  }
  const tests = path.join(root, 'scripts', 'run-tests.ts')
  return runInForeground(runtime, [tests, ...process.argv.slice(2)], { env, cwd: root })
})
