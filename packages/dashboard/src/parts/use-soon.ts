import { useCallback, useEffect, useEffectEvent, useRef } from 'react'

const gatherMs = 600

/** A function that may be called as often as things happen; `work` follows once they pause, or now and then. */
export function useSoon(work: () => void): () => void {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const run = useEffectEvent(() => {
    timer.current = undefined
    work()
  })
  const runRef = useRef<() => void>(() => {})
  useEffect(() => {
    runRef.current = () => run()
    return () => clearTimeout(timer.current)
  }, [])
  return useCallback(() => {
    timer.current ??= setTimeout(() => runRef.current(), gatherMs)
  }, [])
}
