/**
 * What the landing page and the page that waits tell each other, both on the platform's origin: over a BroadcastChannel,
 * and through a storage event where that does not arrive. The session's id is 128 random bits, so nobody guesses the name.
 */

/** How a window ended. */
export interface Outcome {
  readonly status: 'connected' | 'awaiting_completion' | 'failed'
  readonly completionCode?: string
}

const nameOf = (sessionId: string): string => `connector-oauth ${sessionId}`
const heard = 'heard'

/** Hands the outcome over; answers whether a page took it within `withinMs`. */
export function handOver(sessionId: string, outcome: Outcome, withinMs: number): Promise<boolean> {
  const name = nameOf(sessionId)
  const channel = new BroadcastChannel(name)
  return new Promise((resolve) => {
    const end = (isHeard: boolean): void => {
      clearTimeout(timer)
      removeEventListener('storage', onStorage)
      channel.close()
      store(name, null)
      store(`${name} ${heard}`, null)
      resolve(isHeard)
    }
    const onStorage = (event: StorageEvent): void => {
      if (event.key === `${name} ${heard}` && event.newValue !== null) end(true)
    }
    const timer = setTimeout(() => end(false), withinMs)
    channel.addEventListener('message', ({ data }) => {
      if (data === heard) end(true)
    })
    addEventListener('storage', onStorage)
    channel.postMessage(outcome)
    store(name, JSON.stringify(outcome))
  })
}

/** Listens until told to stop. The other page is told that somebody heard. */
export function listen(sessionId: string, onOutcome: (outcome: Outcome) => void): () => void {
  const name = nameOf(sessionId)
  const channel = new BroadcastChannel(name)
  const take = (given: unknown): void => {
    const outcome = asOutcome(given)
    if (outcome === undefined) return
    channel.postMessage(heard)
    store(`${name} ${heard}`, '1')
    onOutcome(outcome)
  }
  const onStorage = (event: StorageEvent): void => {
    if (event.key === name && event.newValue !== null) take(parsed(event.newValue))
  }
  channel.addEventListener('message', ({ data }) => take(data))
  addEventListener('storage', onStorage)
  return () => {
    removeEventListener('storage', onStorage)
    channel.close()
  }
}

/** What is no outcome is no message of ours. */
export function asOutcome(given: unknown): Outcome | undefined {
  if (typeof given !== 'object' || given === null || !('status' in given)) return undefined
  const { status } = given
  if (status !== 'connected' && status !== 'awaiting_completion' && status !== 'failed') return undefined
  const code: unknown = 'completionCode' in given ? given.completionCode : Reflect.get(given, 'completion_code')
  return { status, ...(typeof code === 'string' && { completionCode: code }) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Storage may be switched off or full; then the channel alone must do. */
function store(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key)
    else localStorage.setItem(key, value)
  } catch {
    // Nothing to do: see above.
  }
}
