import type { Dispatcher } from 'undici'
import type { StreamError } from './egress-error.ts'

/** Why undici gave up, in words that name the host at most. */
export function streamFailure(error: Error, host: string): [StreamError['kind'], string] {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return ['too_large', `the reply head of ${host} is too large`]
  if (code === 'UND_ERR_BODY_TIMEOUT') return ['timeout', `the reply of ${host} stopped coming`]
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return ['timeout', `${host} does not take connections`]
  if (code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH')
    return ['caller', 'the request body has another length than announced']
  const suffix = /^[A-Z0-9_]{1,40}$/.test(code) ? ` (${code})` : ''
  return ['network', `${host} could not be reached or broke off${suffix}`]
}

/** Undici's raw headers in pairs; values are Latin-1 text (RFC 9110 §5.5). */
export function headerPairs(given: Dispatcher.DispatchController['rawHeaders']): [string, string][] {
  const pairs: [string, string][] = []
  if (Array.isArray(given)) {
    for (let index = 0; index + 1 < given.length; index += 2) {
      pairs.push([latin1(given[index]), latin1(given[index + 1])])
    }
  } else {
    for (const [name, value] of Object.entries(given ?? {})) {
      for (const one of [value].flat()) if (one !== undefined) pairs.push([name, one])
    }
  }
  return pairs
}

function latin1(text: Buffer | string | undefined): string {
  return typeof text === 'string' ? text : (text?.toString('latin1') ?? '')
}
