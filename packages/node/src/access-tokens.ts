import type { AccessToken } from './api-types.ts'

/** How fresh an access token must be. */
export interface Freshness {
  /** Seconds that it must still live; default 60. */
  readonly minTtlSeconds?: number
}

interface Kept {
  readonly token: AccessToken
  readonly fetchedAt: number
}

/** A token that was disconnected or replaced elsewhere is not handed out for longer than this. */
const keptForMs = 60_000
const maxKept = 10_000

/**
 * Access tokens of connectors, kept in memory while they are fresh: until `expires_at` less the time asked for, and for a
 * minute at most, so that a disconnect elsewhere is noticed. Many callers of one connector cause one request.
 */
export class AccessTokens {
  readonly #kept = new Map<string, Kept>()
  readonly #asked = new Map<string, Promise<AccessToken>>()

  async get(
    key: string,
    freshness: Freshness,
    ask: (minTtlSeconds: number) => Promise<AccessToken>,
  ): Promise<AccessToken> {
    const minTtlSeconds = freshness.minTtlSeconds ?? 60
    const kept = this.#kept.get(key)
    if (kept !== undefined && isFresh(kept, minTtlSeconds)) return kept.token
    const asking = `${minTtlSeconds} ${key}`
    const under = this.#asked.get(asking) ?? this.#ask(key, asking, () => ask(minTtlSeconds))
    return under
  }

  /** After a disconnect, or when the provider refused the token. */
  forget(key: string): void {
    this.#kept.delete(key)
    for (const asking of this.#asked.keys()) if (asking.endsWith(` ${key}`)) this.#asked.delete(asking)
  }

  #ask(key: string, asking: string, ask: () => Promise<AccessToken>): Promise<AccessToken> {
    const answer: Promise<AccessToken> = ask().then(
      (token) => {
        // Forgotten meanwhile: it may be the very token that is no longer wanted.
        if (this.#asked.get(asking) === answer) this.#keep(key, token)
        this.#end(asking, answer)
        return token
      },
      (error: unknown) => {
        this.#end(asking, answer)
        throw error
      },
    )
    this.#asked.set(asking, answer)
    return answer
  }

  #end(asking: string, answer: Promise<AccessToken>): void {
    if (this.#asked.get(asking) === answer) this.#asked.delete(asking)
  }

  #keep(key: string, token: AccessToken): void {
    this.#kept.delete(key)
    this.#kept.set(key, { token, fetchedAt: Date.now() })
    if (this.#kept.size <= maxKept) return
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest)
      return
    }
  }
}

function isFresh({ token, fetchedAt }: Kept, minTtlSeconds: number): boolean {
  const now = Date.now()
  if (now - fetchedAt >= keptForMs) return false
  return token.expires_at === null || Date.parse(token.expires_at) - now > minTtlSeconds * 1000
}
