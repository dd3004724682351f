#!/usr/bin/env node
/** The command `connector-oauth`: `src/main.ts` on the Node.js that can run it. */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { findRuntime, noRuntimeMessage, runInForeground, serverFlags, withCompileCache } from './runtime.mjs'

const server = path.resolve(fileURLToPath(import.meta.url), '../..')
const root = path.resolve(server, '../..')
const runtime = findRuntime(root)
if (runtime === undefined) {
  console.error(noRuntimeMessage)
  process.exitCode = 1
} else {
  const follow = new URL('follow-parent.mjs', import.meta.url).href
  const main = path.join(server, 'src', 'main.ts')
  const parameters = [...serverFlags, '--import', follow, main, ...process.argv.slice(2)]
  process.exitCode = await runInForeground(runtime, parameters, { env: withCompileCache(root, process.env) })
}
