import { readdir, readFile, readlink, realpath, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { codeOf } from './data-folder.ts'

/** What `postmaster.pid` says; PostgreSQL writes it at start and removes it at the end, unless it was killed. */
export interface Postmaster {
  readonly pid: number
  readonly port: number
}

/** Reads `postmaster.pid`; `undefined` when there is none, or it has not been written to its end. */
export async function readPostmaster(clusterFolder: string): Promise<Postmaster | undefined> {
  try {
    const lines = (await readFile(pidFile(clusterFolder), 'utf8')).split('\n')
    const [pid, port] = [Number(lines[0]), Number(lines[3])]
    return pid > 0 && port > 0 ? { pid, port } : undefined
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Whether the process in `postmaster.pid` is the server of this cluster.
 *
 * After a restart of the container or the machine its number may belong to any other process; a dead one that nobody
 * has reaped still answers to signals.
 */
export async function isServing(clusterFolder: string, pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return answersToSignals(pid)
  const found = await processOf(pid)
  if (found === undefined || found.name !== 'postgres' || found.isZombie) return false
  // Without the right to look the driver finds out: it compares the data folder once it is connected.
  return found.folder === undefined || found.folder === (await realpath(clusterFolder))
}

/**
 * Removes a `postmaster.pid` whose number now belongs to something else, at which PostgreSQL would refuse to start.
 *
 * With that file goes PostgreSQL's own check for children that outlived a killed server, so this waits for them; a
 * child that wrote beside a new server would ruin the cluster.
 */
export async function clearStalePidFile(clusterFolder: string, stale: Postmaster): Promise<void> {
  // A number that nobody has is no hindrance: PostgreSQL sees that itself, and checks more.
  if (!answersToSignals(stale.pid)) return
  const folder = await realpath(clusterFolder)
  const deadline = Date.now() + 20_000
  let patience = Date.now() + 3_000
  while (Date.now() < deadline) {
    if (await hasProcessIn(folder)) patience = Date.now() + 500
    else if (Date.now() > patience) break
    await wait(100)
    if (!answersToSignals(stale.pid)) return
  }
  if (Date.now() >= deadline) return
  const now = await readPostmaster(clusterFolder)
  if (now?.pid === stale.pid) await rm(pidFile(clusterFolder), { force: true })
}

function pidFile(clusterFolder: string): string {
  return path.join(clusterFolder, 'postmaster.pid')
}

function answersToSignals(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

async function hasProcessIn(folder: string): Promise<boolean> {
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue
    const found = await processOf(Number(name))
    if (found?.name === 'postgres' && !found.isZombie && found.folder === folder) return true
  }
  return false
}

interface SystemProcess {
  readonly name: string
  readonly isZombie: boolean
  /** The working folder, which for a server is its cluster; `undefined` when this user may not see it. */
  readonly folder: string | undefined
}

/** Reads `/proc`; proc(5): `pid (name) state …`, where the name may hold anything, so its end is the last bracket. */
async function processOf(pid: number): Promise<SystemProcess | undefined> {
  try {
    const line = await readFile(`/proc/${pid}/stat`, 'utf8')
    const end = line.lastIndexOf(')')
    const folder = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
    return { name: line.slice(line.indexOf('(') + 1, end), isZombie: line[end + 2] === 'Z', folder }
  } catch {
    return undefined
  }
}
