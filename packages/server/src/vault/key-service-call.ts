import { setTimeout as wait } from 'node:timers/promises'
import { KeyUnavailable } from '../core/key-unavailable.ts'

const deadlineMs = 5_000
const attempts = 3
const firstPauseMs = 100

/** How a call of a key service failed. */
export type KeyServiceFailure =
  /** Worth another try: no answer, or an answer that says so. */
  | { readonly kind: 'again'; readonly reason: string }
  /** The key may not or cannot be used until an operator does something. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The bytes are not what this key wrapped, or not with this binding. */
  | { readonly kind: 'altered' }

/** A wrapped data key that its key-encryption key does not take. Says nothing about the bytes. */
export class NotWrappedHere extends Error {
  constructor(keyId: string) {
    super(`The key ${keyId} did not wrap these bytes, or not for this tenant and epoch`)
    this.name = 'NotWrappedHere'
  }
}

/**
 * Calls a key service, at most three times within five seconds. Throws `KeyUnavailable` or `NotWrappedHere`: what the
 * library throws may quote requests, so it goes no further than `judge`.
 */
export async function callKeyService<T>(
  keyId: string,
  call: (signal: AbortSignal, leftMs: number) => Promise<T>,
  judge: (error: unknown) => KeyServiceFailure,
): Promise<T> {
  const endsAt = performance.now() + deadlineMs
  const signal = AbortSignal.timeout(deadlineMs)
  let reason = 'no answer in time'
  for (let attempt = 1; attempt <= attempts && !signal.aborted; attempt += 1) {
    try {
      return await orAbort(call(signal, Math.max(1, endsAt - performance.now())), signal)
    } catch (error) {
      if (signal.aborted) break
      const failure = judge(error)
      if (failure.kind === 'altered') throw new NotWrappedHere(keyId)
      reason = failure.reason
      if (failure.kind === 'refused') break
      if (attempt < attempts) await wait(firstPauseMs * attempt, undefined, { signal }).catch(() => {})
    }
  }
  throw new KeyUnavailable(`The key service of the key-encryption key ${keyId} cannot be used: ${reason}`)
}

/** Libraries differ in what they do with a signal; the deadline holds whatever they do. */
function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Error('aborted'))
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** A word from outside that may be logged; anything that is no plain word is left out. */
export function plainWord(text: unknown): string {
  return typeof text === 'string' && /^[A-Za-z0-9_.-]{1,64}$/.test(text) ? text : 'unknown error'
}
