import { useSyncExternalStore } from 'react'

const stepMs = 10_000

/** The time, to ten seconds; whoever asks is drawn again as it passes. */
export function useNow(): number {
  return useSyncExternalStore(
    (notify) => {
      const timer = setInterval(notify, stepMs)
      return () => clearInterval(timer)
    },
    () => Math.floor(Date.now() / stepMs) * stepMs,
  )
}
