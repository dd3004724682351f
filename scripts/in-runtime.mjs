/** Runs a script of the workspace on the Node.js that can: `node scripts/in-runtime.mjs path/to/script.ts …`. */
import { runInForeground } from '../packages/server/bin/runtime.mjs'
import { bootstrap, exitWith, root } from './bootstrap.mjs'

await exitWith(async () => {
  const { runtime, env } = await bootstrap({ tools: true })
  return runInForeground(runtime, process.argv.slice(2), { env, cwd: root })
})
