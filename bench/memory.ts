/**
 * How much memory does it take at rest? The proportional set size (PSS) of every process, so that pages they share count
 * once: with a PostgreSQL elsewhere, and with the embedded one and its processes.
 */
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createBenchDatabase } from './measure/database.ts'
import { parentOf, processIds } from './measure/cpu.ts'
import { startService } from './measure/service.ts'
import type { Asking } from './question.ts'

/** Mebibytes at rest, or why there are none. */
export interface MemoryReport {
  readonly goalMiB: number
  readonly figures: readonly { readonly name: string; readonly miB: number; readonly processes: number }[]
  readonly skipped: readonly string[]
}

/** What was needed only at the start is given back by then. */
const restMs = { quick: 1_000, full: 15_000 }

export async function memory(asking: Asking): Promise<MemoryReport> {
  if (process.platform !== 'linux') return { goalMiB: 200, figures: [], skipped: ['memory is read from /proc'] }
  asking.signal.throwIfAborted()
  const rest = asking.plan.rounds > 2 ? restMs.full : restMs.quick
  return {
    goalMiB: 200,
    figures: [
      { name: 'with a PostgreSQL elsewhere', ...(await besideDatabase(rest)) },
      { name: 'with the embedded PostgreSQL', ...(await withEmbedded(rest)) },
    ],
    skipped: [],
  }
}

async function besideDatabase(rest: number): Promise<{ miB: number; processes: number }> {
  await using stack = new AsyncDisposableStack()
  const database = await createBenchDatabase(stack)
  const service = stack.use(await startService({ databaseUrl: database.databaseUrl }))
  await wait(rest)
  return await treesOf([service.pid])
}

async function withEmbedded(rest: number): Promise<{ miB: number; processes: number }> {
  await using stack = new AsyncDisposableStack()
  const dataDir = await mkdtemp(path.join(tmpdir(), 'connector-oauth-bench-data-'))
  // Run by root, PostgreSQL is another user, who has to get to its files.
  await chmod(dataDir, 0o711)
  stack.defer(() => rm(dataDir, { recursive: true, force: true }))
  const service = stack.use(await startService({ dataDir }))
  await wait(rest)
  return await treesOf([service.pid, await postmasterBelow(dataDir)])
}

/** PostgreSQL detaches itself from whoever starts it, so it is no descendant of the service. */
async function postmasterBelow(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true })
  const pidFile = files.find((file) => path.basename(file) === 'postmaster.pid')
  if (pidFile === undefined) throw new Error('The embedded PostgreSQL does not run')
  return Number((await readFile(path.join(folder, pidFile), 'utf8')).split('\n', 1)[0])
}

/** Of processes and all their descendants. */
async function treesOf(roots: readonly number[]): Promise<{ miB: number; processes: number }> {
  const parents = new Map(processIds().map((pid) => [pid, parentOf(pid)]))
  const isInTree = (pid: number | undefined): boolean =>
    pid !== undefined && pid !== 0 && (roots.includes(pid) || isInTree(parents.get(pid)))
  const pids = [...parents.keys()].filter((pid) => isInTree(pid))
  const sizes = await Promise.all(pids.map((pid) => pssOf(pid)))
  return { miB: sizes.reduce((sum, size) => sum + size, 0) / 1024, processes: pids.length }
}

/** In KiB. */
async function pssOf(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss: +(\d+) kB$/m.exec(rollup)?.[1] ?? 0)
}
