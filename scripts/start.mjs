/** `npm start`: installs what is missing, builds what is stale, then serves until it is told to stop. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { runInForeground, serverFlags, withCompileCache } from '../packages/server/bin/runtime.mjs'
import { bootstrap, exitWith, root } from './bootstrap.mjs'
import { ensureDashboard } from './ensure-dashboard.mjs'

await exitWith(async () => {
  const { runtime, env } = await bootstrap({ tools: false })
  const problem = await ensureDashboard(runtime, env)
  if (problem !== undefined)
    process.stderr.write(`The dashboard could not be built, the rest runs without it:\n${problem}\n`)
  const server = path.join(root, 'packages', 'server')
  const follow = pathToFileURL(path.join(server, 'bin', 'follow-parent.mjs')).href
  // What pages import from `/sdk`; its tools are missing where only production's packages are installed.
  const build = path.join(root, 'packages', 'browser', 'scripts', 'build.ts')
  const built = spawnSync(runtime, [build, '--code'], { env, stdio: ['ignore', 'inherit', 'pipe'] })
  if (built.status !== 0)
    process.stderr.write('The browser package was not built; its address under /sdk may be missing.\n')
  const main = path.join(server, 'src', 'main.ts')
  return runInForeground(runtime, [...serverFlags, '--import', follow, main, 'serve', ...process.argv.slice(2)], {
    env: withCompileCache(root, env),
  })
})
