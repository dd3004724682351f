import { once } from 'node:events'
import { childOf, scriptPath, start, type Child, type Server } from './child.ts'
import type { BenchDatabase } from './database.ts'
import type { Contender, Measured } from './rounds.ts'

/** Requests for one server, sent in turn on each of the connections. */
export interface RequestLoad {
  readonly kind: 'requests'
  readonly url: string
  readonly connections: number
  readonly requests: readonly {
    readonly method: 'GET' | 'POST'
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
  }[]
}

/** Whole flows: departure, the provider's consent, callback. */
export interface FlowLoad {
  readonly kind: 'flows'
  readonly url: string
  readonly connections: number
  readonly departures: readonly { readonly path: string; readonly headers: Readonly<Record<string, string>> }[]
}

export type Load = RequestLoad | FlowLoad

/** How a load went. */
export interface LoadReport {
  readonly done: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** What went wrong, if anything did. */
  readonly failure: string | undefined
}

/** What is under load: a server, and the database behind it. */
export interface Subject {
  readonly name: string
  readonly server: Server
  readonly database: Pick<BenchDatabase, 'cpuMs'> | undefined
}

/** A process that puts load on servers, one load at a time. */
export interface LoadProcess extends Child {
  /** Throws when any answer was wrong. */
  put(load: Load, subject: Subject, seconds: number): Promise<Measured>
}

export function startLoad(): LoadProcess {
  const child = start([scriptPath('measure/load-process.ts')])
  return {
    ...childOf(child),
    async put(load, { server, database }, seconds) {
      const serverBefore = server.cpuMs()
      const databaseBefore = database?.cpuMs() ?? 0
      const replied = once(child, 'message')
      const over = new AbortController()
      const ended = once(child, 'exit', { signal: over.signal }).then(() => {
        throw new Error('The load process ended')
      })
      child.send({ load, seconds })
      const [message] = (await Promise.race([replied, ended])) as [LoadReport]
      ended.catch(() => {})
      over.abort()
      const { done, failure, p50Ms, p99Ms } = message
      if (failure !== undefined) throw new Error(`${load.url}: ${failure}`)
      if (done === 0) throw new Error(`${load.url}: nothing was done`)
      return {
        perSecond: done / message.seconds,
        p50Ms,
        p99Ms,
        serverMsEach: (server.cpuMs() - serverBefore) / done,
        databaseMsEach: ((database?.cpuMs() ?? 0) - databaseBefore) / done,
      }
    },
  }
}

/** A server under a load, as a contender. */
export function contender(subject: Subject, load: Load, process: LoadProcess): Contender {
  return { name: subject.name, measure: (seconds) => process.put(load, subject, seconds) }
}
