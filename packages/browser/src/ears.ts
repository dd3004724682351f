import { heardBy, listen } from './relay.ts'
import { isOf, readOutcome, type Via } from './outcome.ts'
import type { Heard, Waited } from './settle.ts'

/** Everything by which this page can be told of an outcome. */
export interface Ears {
  /** The next outcome to arrive within the time; `undefined` when it is time to look. Rejects once stopped. */
  readonly next: (withinMs: number) => Promise<Heard | undefined>
  readonly stop: () => void
}

/**
 * Listens for one session: messages of the window to this page, and what the landing page hands over. With a `popup`
 * only that window may speak by message.
 */
export function openEars(waited: Waited, serviceOrigin: string, popup: Window | undefined): Ears {
  const queue: Heard[] = []
  let wake: (() => void) | undefined
  let isStopped = false
  const hear = (heard: Heard): void => {
    queue.push(heard)
    wake?.()
  }
  const onMessage = (event: MessageEvent<unknown>): void => {
    const via = viaOf(event.origin, serviceOrigin)
    if (via === undefined || (popup !== undefined && event.source !== popup)) return
    const outcome = readOutcome(event.data)
    if (outcome === undefined || !isOf(outcome, waited)) return
    if (via === 'landing_message') event.source?.postMessage(heardBy(waited.id), { targetOrigin: event.origin })
    hear({ outcome, via })
  }
  // Whoever comes back to this page wants to see what became of it, and timers of hidden pages are slow.
  const onReturn = (): void => wake?.()
  const stopListening = listen(waited, (outcome, via) => hear({ outcome, via }))
  addEventListener('message', onMessage)
  addEventListener('focus', onReturn)
  document.addEventListener('visibilitychange', onReturn)
  return {
    async next(withinMs) {
      if (queue.length === 0 && !isStopped) {
        const timer = setTimeout(() => wake?.(), withinMs)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        wake = undefined
        clearTimeout(timer)
      }
      if (isStopped) throw new Error('Nobody listens any more')
      return queue.shift()
    },
    stop() {
      isStopped = true
      stopListening()
      removeEventListener('message', onMessage)
      removeEventListener('focus', onReturn)
      document.removeEventListener('visibilitychange', onReturn)
      wake?.()
    },
  }
}

/** Where platform and service share an origin, a message is the closing page's. */
function viaOf(origin: string, serviceOrigin: string): Via | undefined {
  if (origin === serviceOrigin) return 'message'
  return origin === location.origin ? 'landing_message' : undefined
}
