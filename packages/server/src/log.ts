import pino, { type Logger } from 'pino'
import { isTerminal } from './config.ts'
import type { Log } from './core/log.ts'
import type { RequestScope } from './core/request-scope.ts'

/** JSON lines, or readable ones on a terminal. Callers log ids and words, never values that came from outside. */
export function createLogger(level: string): Logger {
  if (isTerminal()) {
    const transport = { target: 'pino-pretty', options: { colorize: true, ignore: 'pid,hostname' } }
    return pino({ level, base: null, transport })
  }
  // While one write is under way the next lines gather behind it; what has gathered is written when the process ends.
  return pino({ level, base: null }, pino.destination({ dest: 1, sync: false }))
}

/** The log of flows: each line says which request it was written for. */
export function logOfFlows(logger: Pick<Logger, 'info' | 'warn'>, scope: RequestScope): Log {
  const within = (): { readonly request_id?: string } => {
    const id = scope.requestId()
    return id === undefined ? {} : { request_id: id }
  }
  return {
    info: (fields, message) => logger.info({ ...within(), ...fields }, message),
    warn: (fields, message) => logger.warn({ ...within(), ...fields }, message),
  }
}
