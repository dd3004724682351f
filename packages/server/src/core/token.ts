import type { ProviderDefinition, ProviderEndpoints } from './provider-definition.ts'
import type { Secret } from './secret.ts'

/** A provider app at a provider: all that a request to the provider needs to know, and nothing of tenants. */
export interface ProviderClient {
  readonly definition: ProviderDefinition
  readonly endpoints: ProviderEndpoints
  readonly clientId: string
  /** Absent for public clients (`client_auth: none`). */
  readonly clientSecret: Secret | undefined
}

/** What a token endpoint granted, in one shape for every provider (RFC 6749 §5.1). */
export interface TokenGrant {
  readonly kind: 'granted'
  readonly accessToken: Secret
  /** Absent on a refresh means: keep the one you have (RFC 6749 §6). */
  readonly refreshToken: Secret | undefined
  /** As the provider spelled it; `Bearer` when it said nothing. */
  readonly tokenType: string
  /** Absent: the token does not expire, as far as anyone knows. */
  readonly expiresAt: Date | undefined
  /** Absent: the provider did not say, so the requested ones hold (RFC 6749 §3.3). */
  readonly scopes: readonly string[] | undefined
  /** Claims of the ID token after it was verified; absent when there was none. */
  readonly idTokenClaims: Readonly<Record<string, unknown>> | undefined
  /** Values the definition keeps from the reply or the callback: account ids, API host. Never a token. */
  readonly kept: Readonly<Record<string, string>>
}

/** Why the token endpoint gave no token, and so what may be done about it (RFC 6749 §5.2). */
export type TokenFailure =
  /** Ask the user to connect again. `code` is the provider's error code, escaped and cut. */
  | { readonly kind: 'grant-lost'; readonly code: string }
  /** An operator must mend the provider app. */
  | { readonly kind: 'client-rejected'; readonly code: string }
  /**
   * Nobody's fault: try later. `sent` says that the request may have reached the provider, so a
   * rotating refresh token may be spent although no reply came.
   */
  | {
      readonly kind: 'unavailable'
      readonly reason: 'timeout' | 'network' | 'status' | 'nonsense' | 'refused'
      readonly sent: boolean
      readonly retryAfterSeconds: number | undefined
    }

export type TokenOutcome = TokenGrant | TokenFailure

/** The account behind a grant; `id` is unique at the provider and never an e-mail address where something better exists. */
export interface ProviderAccount {
  readonly id: string
  readonly name: string | undefined
}

export type RevocationOutcome =
  | { readonly kind: 'revoked' }
  | { readonly kind: 'unsupported' }
  | {
      readonly kind: 'failed'
      readonly reason: string
      readonly retryable: boolean
      readonly retryAfterSeconds: number | undefined
    }
