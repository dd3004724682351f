import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { cpuMsOf } from './cpu.ts'

const startsWithinMs = 30_000

/** A program of the bench in a process of its own. */
export interface Child extends AsyncDisposable {
  readonly pid: number
  /** CPU time it has used so far, in milliseconds; 0 where the system does not say. */
  cpuMs(): number
}

/** A server of the bench. */
export interface Server extends Child {
  readonly url: string
}

/**
 * Starts a script that listens on a port of the system's choice and reports its address by IPC. Its settings go in as
 * its first message.
 */
export async function startServer(script: string, settings: unknown = {}): Promise<Server> {
  const child = start([scriptPath(script)])
  child.send({ settings })
  const url = String(await firstMessage(child, script))
  return { ...childOf(child), url }
}

/** Starts Node with these parameters, in an environment of `env` alone. It ends with this process: its channel closes. */
export function start(
  parameters: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string; readonly stdio?: StdioOptions } = {},
): ChildProcess {
  return spawn(process.execPath, [...parameters], {
    env: {},
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    ...options,
  })
}

/** Asks it to end by SIGTERM on disposal, and waits. */
export function childOf(child: ChildProcess): Child {
  const { pid } = child
  if (pid === undefined) throw new Error('The process did not start')
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    pid,
    cpuMs: () => cpuMsOf(pid),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      else return
      await ended
    },
  }
}

export function scriptPath(script: string): string {
  return new URL(`../${script}`, import.meta.url).pathname
}

/** The next message from the process; throws when it ends first or takes half a minute. */
function firstMessage(child: ChildProcess, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name} did not start in time`)), startsWithinMs)
    const settle = (then: () => void): void => {
      clearTimeout(timer)
      then()
    }
    child.once('message', (message) => settle(() => resolve(message)))
    child.once('exit', (code) => settle(() => reject(new Error(`${name} ended with ${code}`))))
    child.once('error', (error) => settle(() => reject(error)))
  })
}
