/**
 * What this tab began, kept in its session storage: ids and no secrets, for a redirect to come back to and a reload to
 * go on with.
 */
import type { Begun } from './begin.ts'

export interface Remembered extends Pick<Begun, 'id' | 'isHosted' | 'provider'> {
  /** Whose closing page may tell. */
  readonly serviceOrigin: string
  readonly mode: 'popup' | 'redirect'
  readonly hasLandingPage: boolean
  /** Milliseconds since the epoch; a day's old tab shall not go on with what has long expired. */
  readonly until: number
}

const prefix = 'connector-oauth began '
const keptMs = 3_600_000

const isCurrent = (one: Remembered): boolean => one.until > Date.now()

/** Keeps it, and drops what is out of date. Of the address only the origin is kept: the rest holds a ticket. */
export function remember(begun: Begun, mode: Remembered['mode'], hasLandingPage: boolean): void {
  const { id, isHosted, provider } = begun
  const serviceOrigin = new URL(begun.url).origin
  const until = Date.now() + keptMs
  const kept: Remembered = { id, isHosted, provider, serviceOrigin, mode, hasLandingPage, until }
  withStorage((storage) => {
    for (const old of all(storage)) if (!isCurrent(old)) storage.removeItem(prefix + old.id)
    storage.setItem(prefix + id, JSON.stringify(kept))
  })
}

export function recall(id: string): Remembered | undefined {
  return withStorage((storage) => all(storage).find((one) => one.id === id && isCurrent(one)))
}

/** The newest window that this tab still waits for. */
export function recallWindow(): Remembered | undefined {
  const isOpen = (one: Remembered): boolean => one.mode === 'popup' && isCurrent(one)
  return withStorage((storage) =>
    all(storage)
      .filter(isOpen)
      .sort((a, b) => b.until - a.until)
      .at(0),
  )
}

export function forget(id: string): void {
  withStorage((storage) => storage.removeItem(prefix + id))
}

function all(storage: Storage): Remembered[] {
  return Object.keys(storage).flatMap((key) => {
    if (!key.startsWith(prefix)) return []
    try {
      // Written above, by this file alone.
      return [JSON.parse(storage.getItem(key) ?? '') as Remembered]
    } catch {
      return []
    }
  })
}

/** Storage may be switched off, for instance in a frame; then nothing is remembered. */
function withStorage<Value>(use: (storage: Storage) => Value): Value | undefined {
  try {
    return use(sessionStorage)
  } catch {
    return undefined
  }
}
