import { Problem } from '../core/problem.ts'
import type { FreshAccess, ReadyAccess } from './fresh-access.ts'

/** Why there is no access token, as callers are told. */
export function noAccess(access: Exclude<FreshAccess, ReadyAccess>): Problem {
  switch (access.kind) {
    case 'unknown':
      return new Problem('connector_unknown')
    case 'disconnected':
      return new Problem('connector_disconnected')
    case 'paused':
      return new Problem('connector_paused')
    case 'reauth-required':
      return new Problem('reauth_required')
    case 'unavailable':
      return new Problem('provider_unavailable', { retryAfterSeconds: access.retryAfterSeconds })
  }
}
