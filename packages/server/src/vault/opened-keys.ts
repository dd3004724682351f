import { plusMs, type Clock } from '../core/clock.ts'

/** How long what was loaded counts. */
interface Lifetime {
  /** From then on it is still used, and loaded anew beside. */
  readonly freshMs: number
  /** From then on it is not used before it has been loaded anew. */
  readonly lifeMs: number
}

interface Entry<Value> {
  readonly value: Promise<Value>
  readonly loadedAt: Date
  renewal: Promise<Value> | undefined
}

const mostEntries = 10_000

/** Values in memory by name, loaded once for all callers and again before they get old. */
export interface OpenedKeys<Value> {
  /**
   * The value, loaded when there is none. `load` gets the one that is known, and may answer it again. What it throws is
   * not remembered: with `forgets(error)` the known value goes too, otherwise it is used until the end of its life.
   */
  get(name: string, load: (known: Value | undefined) => Promise<Value>): Promise<Value>
  /** Puts in what was loaded elsewhere just now. */
  put(name: string, value: Value): void
  /** Loads now, whatever is known. */
  renew(name: string, load: (known: Value | undefined) => Promise<Value>): Promise<Value>
}

/**
 * Keys that were unwrapped, for a bounded time: what changes in the database is noticed within `lifeMs`.
 *
 * In use they are renewed early and beside, so that nobody waits, and no caller that holds a database connection in a
 * transaction needs a second one.
 */
export function openedKeys<Value>(
  options: Lifetime & { readonly clock: Clock; readonly forgets: (error: unknown) => boolean },
): OpenedKeys<Value> {
  const { clock, freshMs, lifeMs, forgets } = options
  const entries = new Map<string, Entry<Value>>()
  let sweptAt = clock.now()

  const put = (name: string, value: Promise<Value>): Entry<Value> => {
    const entry: Entry<Value> = { value, loadedAt: clock.now(), renewal: undefined }
    // Taken out first, so that the order of entries is the order of their age.
    entries.delete(name)
    entries.set(name, entry)
    const [oldest] = entries.size > mostEntries ? entries.keys() : []
    if (oldest !== undefined) entries.delete(oldest)
    return entry
  }

  /** What nobody asked for in a life's time does not stay in memory: its tenant may be gone. */
  const sweep = (now: Date, wanted: string): void => {
    if (now < plusMs(sweptAt, lifeMs)) return
    sweptAt = now
    for (const [name, entry] of entries) {
      if (name !== wanted && entry.loadedAt <= plusMs(now, -lifeMs)) entries.delete(name)
    }
  }

  const load = (name: string, first: () => Promise<Value>): Promise<Value> => {
    const entry = put(name, first())
    entry.value.catch(() => {
      if (entries.get(name) === entry) entries.delete(name)
    })
    return entry.value
  }

  const renewEntry = (
    name: string,
    entry: Entry<Value>,
    again: (known: Value | undefined) => Promise<Value>,
  ): Promise<Value> => {
    entry.renewal ??= (async () => {
      try {
        const value = await again(await entry.value)
        if (entries.get(name) === entry) put(name, Promise.resolve(value))
        return value
      } catch (error) {
        entry.renewal = undefined
        if (forgets(error) && entries.get(name) === entry) entries.delete(name)
        throw error
      }
    })()
    return entry.renewal
  }

  return {
    get(name, again) {
      const now = clock.now()
      const entry = entries.get(name)
      sweep(now, name)
      if (entry === undefined) return load(name, () => again(undefined))
      if (now < plusMs(entry.loadedAt, freshMs)) return entry.value
      const renewal = renewEntry(name, entry, again)
      if (now >= plusMs(entry.loadedAt, lifeMs)) return renewal
      // Whoever comes at the end of its life meets the error; until then the known one serves.
      renewal.catch(() => {})
      return entry.value
    },
    put(name, value) {
      put(name, Promise.resolve(value))
    },
    renew(name, again) {
      const entry = entries.get(name)
      if (entry === undefined) return load(name, () => again(undefined))
      // One under way may have looked before the change that the caller knows of.
      const before = entry.renewal?.catch(() => {}) ?? Promise.resolve()
      return before.then(() => {
        const current = entries.get(name)
        return current === undefined ? load(name, () => again(undefined)) : renewEntry(name, current, again)
      })
    },
  }
}
