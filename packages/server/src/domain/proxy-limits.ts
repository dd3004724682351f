/** Limits of a call through the proxy, each with its reason. */

/** What is kept of a request body so that it can be sent again; nothing else of any body is held. */
export const replayBytes = 65_536

/** Of either body. Providers take larger uploads in parts, and a stream without end must end somewhere. */
export const maxBodyBytes = 5 * 1024 ** 3

export const proxyTimes = {
  /** Answers of models and reports take their time; load balancers give up after a minute too. */
  headMs: 60_000,
  /** A body that does not move for so long will not move again. */
  idleMs: 60_000,
  /** The largest body at 1.5 MB/s. An event stream has to be opened anew after it. */
  totalMs: 3_600_000,
} as const

/** Lifetime a token must have left, so that it does not expire on the way. */
export const minTtlMs = 30_000
