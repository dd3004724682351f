import { generateKeyPairSync, sign as signBytes, type KeyObject } from 'node:crypto'
import assert from 'node:assert/strict'
import type { Clock } from '../../src/core/clock.ts'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { Secret } from '../../src/core/secret.ts'
import type { ProviderClient } from '../../src/core/token.ts'
import { createEgress } from '../../src/oauth/egress.ts'
import { resolveEndpoints } from '../../src/oauth/endpoints.ts'
import { createKeySets, type KeySets } from '../../src/oauth/key-sets.ts'
import type { ProtocolContext } from '../../src/oauth/protocol-context.ts'
import type { HostileProvider } from '../support/hostile-provider.ts'

/** The time of every test here, unless it moves the clock. */
export const noon = new Date('2026-06-01T12:00:00Z')
export const noonSeconds = noon.getTime() / 1000

export interface MovableClock extends Clock {
  moveMs(ms: number): void
}

export function movableClock(): MovableClock {
  let at = noon.getTime()
  return { now: () => new Date(at), moveMs: (ms) => void (at += ms) }
}

/** A context that reaches the hostile provider and nothing else. */
export function contextFor(
  provider: Pick<HostileProvider, 'host'>,
  clock: Clock = movableClock(),
): ProtocolContext & { readonly keySets: KeySets } {
  const egress = createEgress({ allowedPrivateHosts: [provider.host] })
  return { egress, clock, keySets: createKeySets({ egress, clock }) }
}

/** A definition with plain OAuth endpoints under `origin`; `more` replaces or adds fields. */
export function definitionAt(origin: string, more: Partial<ProviderDefinition> = {}): ProviderDefinition {
  return {
    slug: 'hostile',
    display_name: 'Hostile',
    categories: [],
    authorization_url: `${origin}/authorize`,
    token_url: `${origin}/token`,
    default_scopes: [],
    ...more,
  }
}

export function clientFor(
  definition: ProviderDefinition,
  more: { clientId?: string; clientSecret?: string | null; variables?: Record<string, string> } = {},
): ProviderClient {
  const resolved = resolveEndpoints(definition, more.variables ?? {})
  assert(resolved.kind === 'resolved', JSON.stringify(resolved))
  const secret = more.clientSecret === undefined ? 'client-secret' : more.clientSecret
  return {
    definition,
    endpoints: resolved.endpoints,
    clientId: more.clientId ?? 'client-1',
    clientSecret: secret === null ? undefined : new Secret(secret),
  }
}

export interface Signer {
  readonly jwk: Readonly<Record<string, unknown>>
  sign(claims: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): string
}

/** A provider's RS256 key; `header` replaces header fields, and `undefined` in it removes them. */
export function signerWith(kid: string): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' },
    sign: (claims, header) => signed(privateKey, claims, { alg: 'RS256', kid, ...header }),
  }
}

function signed(key: KeyObject, claims: object, header: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part(header)}.${part(claims)}`
  return `${input}.${signBytes('sha256', Buffer.from(input), key).toString('base64url')}`
}
