import { readdirSync, readFileSync } from 'node:fs'

/** What `/proc/<pid>/stat` says of a process; `undefined` when it is gone. */
interface Stat {
  readonly parent: number
  /** Of its own, in milliseconds. */
  readonly ownMs: number
  /** Of children that have ended. */
  readonly endedChildrenMs: number
}

/** CPU time that a process has used so far, in milliseconds; 0 where the system has no `/proc`. */
export function cpuMsOf(pid: number): number {
  return statOf(pid)?.ownMs ?? 0
}

/** The same of a process and all children it ever had: PostgreSQL has one a connection. */
export function cpuMsOfFamily(pid: number): number {
  const stat = statOf(pid)
  if (stat === undefined) return 0
  const living = processIds().map((id) => statOf(id))
  return living.reduce(
    (sum, child) => sum + (child?.parent === pid ? child.ownMs : 0),
    stat.ownMs + stat.endedChildrenMs,
  )
}

/** The process that started this one; 0 when that is not known. */
export function parentOf(pid: number): number {
  return statOf(pid)?.parent ?? 0
}

export function processIds(): readonly number[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function statOf(pid: number): Stat | undefined {
  if (process.platform !== 'linux') return undefined
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // The name in parentheses may hold anything; the numbers begin behind it (proc_pid_stat(5), from field 3).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // Linux counts in hundredths of a second.
  const ms = (index: number): number => Number(fields[index]) * 10
  return { parent: Number(fields[1]), ownMs: ms(11) + ms(12), endedChildrenMs: ms(13) + ms(14) }
}
