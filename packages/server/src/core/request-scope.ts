import { AsyncLocalStorage } from 'node:async_hooks'

/** Which request the running code works for, without every flow passing it on. */
export interface RequestScope {
  /** Runs `work`, and what follows from it, for one request. */
  run(requestId: string, work: () => void): void
  /** `undefined` outside of requests. */
  requestId(): string | undefined
}

export function createRequestScope(): RequestScope {
  const storage = new AsyncLocalStorage<string>()
  return {
    run: (requestId, work) => storage.run(requestId, work),
    requestId: () => storage.getStore(),
  }
}
