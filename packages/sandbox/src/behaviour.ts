/** How the sandbox misbehaves on purpose; changed while it runs with `Sandbox.behave`. */
export interface Behaviour {
  /** Milliseconds that a finished reply of the token endpoint is held back: the work is done, the caller does not know. */
  replyAfterMs: number
  /** Answers every token request with this status and does no work; `undefined` ends it. */
  failTokenWith: number | undefined
  /** The same for `/token/revocation`. */
  failRevocationWith: number | undefined
  /** The same for the API and the userinfo endpoint. */
  failApiWith: number | undefined
  /** `Retry-After` on those failures: seconds or an HTTP date. */
  retryAfter: string | undefined
  /** Does the work of a token request, then cuts the connection instead of replying. */
  dropTokenReply: boolean
  /** Does the work of a token request, then answers 200 with a page that is no token reply. */
  garbleTokenReply: boolean
  /** Its pages cut a popup off from its opener (`Cross-Origin-Opener-Policy: same-origin`), as some providers' do. */
  seversOpener: boolean
  /** Cuts every connection without reading the request. */
  down: boolean
}

/** What happened so far; each number only grows. */
export interface SandboxCounts {
  /** Authorization responses that carried a code. */
  readonly authorizations: number
  /** Requests that reached the token endpoint, however they ended. */
  readonly tokenRequests: number
  /** Codes redeemed. */
  readonly codeExchanges: number
  /** Refresh tokens redeemed. */
  readonly refreshes: number
  /** Revocation requests answered with 200. */
  readonly revocations: number
  readonly apiCalls: number
  /** Refresh tokens that came back after they were spent, each of which killed its grant. */
  readonly reuseDetections: number
  readonly userinfo: number
}

/** The counts as the sandbox itself sees them. */
export type Counters = { -readonly [name in keyof SandboxCounts]: number }

export function perfectBehaviour(): Behaviour {
  return {
    replyAfterMs: 0,
    failTokenWith: undefined,
    failRevocationWith: undefined,
    failApiWith: undefined,
    retryAfter: undefined,
    dropTokenReply: false,
    garbleTokenReply: false,
    seversOpener: false,
    down: false,
  }
}

export function zeroCounts(): Counters {
  return {
    authorizations: 0,
    tokenRequests: 0,
    codeExchanges: 0,
    refreshes: 0,
    revocations: 0,
    apiCalls: 0,
    reuseDetections: 0,
    userinfo: 0,
  }
}
