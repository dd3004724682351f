import pino, { type Logger } from 'pino'
import { isTerminal } from './config.ts'

/** JSON lines, or readable ones on a terminal. Callers log ids and words, never values that came from outside. */
export function createLogger(level: string): Logger {
  const transport = isTerminal()
    ? { transport: { target: 'pino-pretty', options: { colorize: true, ignore: 'pid,hostname' } } }
    : {}
  return pino({ level, base: null, ...transport })
}
