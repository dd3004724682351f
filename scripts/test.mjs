/** `npm test`: installs what is missing, then runs `run-tests.ts` on the Node.js that can. */
import path from 'node:path'
import { runInForeground } from '../packages/server/bin/runtime.mjs'
import { bootstrap, exitWith, root } from './bootstrap.mjs'

await exitWith(async () => {
  const { runtime, env } = await bootstrap({ tools: true })
  const tests = path.join(root, 'scripts', 'run-tests.ts')
  return runInForeground(runtime, [tests, ...process.argv.slice(2)], { env, cwd: root })
})
