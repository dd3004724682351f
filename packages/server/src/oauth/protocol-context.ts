import type { Clock } from '../core/clock.ts'
import type { Egress } from './egress.ts'
import type { KeySets } from './key-sets.ts'

/** What the protocol needs from outside. */
export interface ProtocolContext {
  readonly egress: Egress
  readonly clock: Clock
  /** Providers' signing keys, cached for the life of the process; absent: fetched anew for every ID token. */
  readonly keySets?: KeySets
}
