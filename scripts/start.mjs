/** `npm start`: installs what is missing, then serves until it is told to stop. */
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { runInForeground } from '../packages/server/bin/runtime.mjs'
import { bootstrap, exitWith, root } from './bootstrap.mjs'

await exitWith(async () => {
  const { runtime, env } = await bootstrap({ tools: false })
  const server = path.join(root, 'packages', 'server')
  const follow = pathToFileURL(path.join(server, 'bin', 'follow-parent.mjs')).href
  const main = path.join(server, 'src', 'main.ts')
  return runInForeground(runtime, ['--import', follow, main, 'serve', ...process.argv.slice(2)], { env })
})
