import { ConnectError } from './connect-error.ts'

const unreachableMs = 60_000
const refusalsInARow = 3
/** Refusals that the next request may not meet: a fresh token, or a minute later. */
const passing: ReadonlySet<string> = new Set(['unauthorized', 'token_expired', 'rate_limited', 'no_authorization'])

/** How long to go on while the service cannot be reached, or refuses for reasons that pass. */
export function createPatience(): { readonly spend: (error: unknown) => void; readonly renew: () => void } {
  let sinceMs: number | undefined
  let refusals = 0
  return {
    /** Throws the error when it is final, or when it has been like this for too long. */
    spend(error) {
      if (!(error instanceof ConnectError)) throw error
      if (error.reason === 'network') {
        sinceMs ??= performance.now()
        if (performance.now() - sinceMs > unreachableMs) throw error
        return
      }
      refusals += 1
      if (!passing.has(error.code ?? '') || refusals >= refusalsInARow) throw error
    },
    renew() {
      sinceMs = undefined
      refusals = 0
    },
  }
}
