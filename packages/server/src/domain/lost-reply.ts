import { plusMs } from '../core/clock.ts'

/** A refresh token that went out, and no answer came back. */
export interface LostReply {
  /** When it was first sent. */
  readonly sentAt: Date
  /** How often it was sent, each time without an answer. */
  readonly sends: number
}

/** What is known of whether a refresh token works once. */
export interface Rotation {
  /** The definition's `refresh_rotates`. */
  readonly documented: boolean | undefined
  /** Whether this connector's last refresh brought another refresh token; `undefined` before the first. */
  readonly observed: boolean | undefined
  /** The definition's `refresh_reuse_grace_seconds`. */
  readonly graceSeconds: number | undefined
}

export type LostReplyVerdict =
  /** The same token may be sent once more, where `before` stands until then. */
  | { readonly kind: 'send-again'; readonly before: Date | undefined }
  /** It must never be sent again: to the provider that would look like theft. */
  | { readonly kind: 'give-up' }

/** As long as the request may be under way: it must arrive inside the grace, not only leave. */
const graceMarginMs = 10_000

/** Whether a refresh token works once, as far as anyone knows: the provider's word counts more than what was seen. */
export function worksOnce(rotation: Rotation): boolean {
  return rotation.documented ?? rotation.observed ?? false
}

/**
 * What may be done about a refresh whose reply was lost: the provider may have replaced the token, or never have seen it.
 *
 * A token that does not rotate is as good as before. One that works once is sent a second time only inside the
 * provider's documented grace, counted from the first time; a second token that comes back spent would make the provider
 * revoke the whole grant (RFC 9700 §4.14.2), which a slow process may yet be about to store.
 */
export function judgeLostReply(lost: LostReply, rotation: Rotation, now: Date): LostReplyVerdict {
  if (!worksOnce(rotation)) return { kind: 'send-again', before: undefined }
  if (rotation.graceSeconds === undefined || lost.sends > 1) return { kind: 'give-up' }
  const before = plusMs(lost.sentAt, rotation.graceSeconds * 1000 - graceMarginMs)
  // A clock that was set back must not lengthen the grace.
  return now >= lost.sentAt && now < before ? { kind: 'send-again', before } : { kind: 'give-up' }
}
