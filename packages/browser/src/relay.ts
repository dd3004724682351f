/**
 * What the landing page and the page that waits tell each other, both on the platform's origin: over a BroadcastChannel,
 * by message to the opener, and by a storage event. Ids are 128 random bits or more, so nobody guesses a channel's name.
 */
import { idOf, isOf, readOutcome, wireOf, type ConnectionName, type Outcome, type Via } from './outcome.ts'

const nameOf = (id: string): string => `connector-oauth ${id}`
const heard = 'connector-oauth heard'
/** Each way gets this long before the next is tried; the last one twice. */
const stepMs = 300

/**
 * Hands an outcome to the page that waits for it; answers whether one took it.
 *
 * A frame's channel and storage are apart from a window's, so a page in a frame hears only by message to the opener; and
 * an opener that the provider's pages cut off hears only by channel or storage.
 */
export function handOver(outcome: Outcome): Promise<boolean> {
  const id = idOf(outcome)
  const wire = wireOf(outcome)
  const channel = openChannel(id)
  return new Promise((resolve) => {
    const timers: ReturnType<typeof setTimeout>[] = []
    const end = (isHeard: boolean): void => {
      for (const timer of timers) clearTimeout(timer)
      removeEventListener('storage', onStorage)
      removeEventListener('message', onMessage)
      channel?.close()
      resolve(isHeard)
    }
    const onStorage = (event: StorageEvent): void => {
      if (event.key === nameOf(id) && event.newValue === heard) end(true)
    }
    const onMessage = (event: MessageEvent<unknown>): void => {
      if (event.origin === location.origin && event.data === `${heard} ${id}`) end(true)
    }
    addEventListener('storage', onStorage)
    addEventListener('message', onMessage)
    channel?.addEventListener('message', ({ data }) => {
      if (data === heard) end(true)
    })
    const ways = [
      () => channel?.postMessage(wire),
      // Another origin in the opener's place is told nothing.
      () => (window.opener as Window | null)?.postMessage(wire, location.origin),
      () => flash(id, JSON.stringify(wire)),
      () => {},
      () => end(false),
    ]
    for (const [index, way] of ways.entries()) timers.push(setTimeout(way, index * stepMs))
  })
}

/** Listens until told to stop. Whoever hands over is told that somebody heard. */
export function listen(begun: ConnectionName, onOutcome: (outcome: Outcome, via: Via) => void): () => void {
  const { id } = begun
  const channel = openChannel(id)
  const take = (given: unknown, via: Via, answer: () => void): void => {
    const outcome = readOutcome(given)
    if (outcome === undefined || !isOf(outcome, begun)) return
    answer()
    onOutcome(outcome, via)
  }
  const onStorage = (event: StorageEvent): void => {
    if (event.key !== nameOf(id) || event.newValue === null || event.newValue === heard) return
    take(parsed(event.newValue), 'storage', () => flash(id, heard))
  }
  channel?.addEventListener('message', ({ data }) => take(data, 'channel', () => channel.postMessage(heard)))
  addEventListener('storage', onStorage)
  return () => {
    removeEventListener('storage', onStorage)
    channel?.close()
  }
}

/** What a page answers to a landing page that reached it by message. */
export const heardBy = (id: string): string => `${heard} ${id}`

function openChannel(id: string): BroadcastChannel | undefined {
  return typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(nameOf(id))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Puts a value into storage and takes it out again: the event still brings it to other pages, and no code is left
 * behind, even if this window is closed the next moment.
 */
function flash(id: string, value: string): void {
  try {
    localStorage.setItem(nameOf(id), value)
    localStorage.removeItem(nameOf(id))
  } catch {
    // Storage is switched off or full; then the other ways must do.
  }
}
