/** `npm run example`: installs what is missing, builds what is stale, then runs the example app and its service. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { runInForeground } from '../packages/server/bin/runtime.mjs'
import { bootstrap, exitWith, root } from './bootstrap.mjs'

await exitWith(async () => {
  const { runtime, env } = await bootstrap({ tools: true })
  for (const name of ['browser', 'node']) {
    const build = path.join(root, 'packages', name, 'scripts', 'build.ts')
    const { status } = spawnSync(runtime, [build], { env, stdio: ['ignore', 'inherit', 'inherit'] })
    if (status !== 0) return 1
  }
  const follow = pathToFileURL(path.join(root, 'packages', 'server', 'bin', 'follow-parent.mjs')).href
  const start = path.join(root, 'examples', 'multi-tenant-app', 'src', 'start.ts')
  return runInForeground(runtime, ['--import', follow, start], { env, cwd: root })
})
