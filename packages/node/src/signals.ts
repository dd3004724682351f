/** A signal that ends with the first of two. */
export function either(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  return one && other ? AbortSignal.any([one, other]) : (one ?? other)
}

/** What is promised, unless the signal ends the wait for it first; then its reason is thrown. */
export async function unlessAborted<T>(promised: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promised
  const done = new AbortController()
  const aborted = new Promise<never>((_resolve, reject) => {
    const end = (): void => reject(signal.reason)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { signal: done.signal })
  })
  try {
    return await Promise.race([aborted, promised])
  } finally {
    done.abort()
  }
}
