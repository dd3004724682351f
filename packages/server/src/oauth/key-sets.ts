import { createLocalJWKSet, type JSONWebKeySet } from 'jose'
import type { Clock } from '../core/clock.ts'
import { createDiscovery, type Discovery } from './discovery.ts'
import type { Egress } from './egress.ts'
import { jsonObject } from './json-path.ts'

type LocalKeySet = ReturnType<typeof createLocalJWKSet>

/** Providers' signing keys. */
export interface KeySets {
  /**
   * The keys published at an address, or where an issuer's metadata points if there is no address.
   *
   * `undefined` when they cannot be had. `unknownKey` asks again past the cache, for a key that the known set lacks:
   * that is how rotation shows (OIDC Core §10.1.1).
   */
  read(
    where: { readonly jwksUri: string | undefined; readonly issuer: string | undefined },
    which: 'known' | 'unknownKey',
  ): Promise<LocalKeySet | undefined>
}

const freshMs = 600_000
/** How long old keys stand in for a key endpoint that is down. */
const staleMs = 3_600_000
/** Tokens with made-up key ids must not make this service hammer a provider. */
const coolDownMs = 30_000
const maxBytes = 262_144
const maxSets = 500

interface Entry {
  readonly keys: LocalKeySet | undefined
  readonly readAt: number
  readonly triedAt: number
}

/** Makes a cache of key sets: one request at a time per address, ten minutes fresh, thirty seconds between attempts. */
export function createKeySets(
  context: { readonly egress: Egress; readonly clock: Clock },
  discovery: Discovery = createDiscovery(context),
): KeySets {
  const entries = new Map<string, Entry>()
  const pending = new Map<string, Promise<Entry>>()

  async function load(uri: string): Promise<Entry> {
    const keys = await fetchKeys(context.egress, uri)
    const now = context.clock.now().getTime()
    const known = entries.get(uri)
    const entry =
      keys === undefined
        ? { keys: known?.keys, readAt: known?.readAt ?? 0, triedAt: now }
        : { keys, readAt: now, triedAt: now }
    entries.delete(uri)
    entries.set(uri, entry)
    const oldest = entries.keys().next()
    if (entries.size > maxSets && oldest.done !== true) entries.delete(oldest.value)
    return entry
  }

  function loadOnce(uri: string): Promise<Entry> {
    const current = pending.get(uri)
    if (current !== undefined) return current
    const started = load(uri).finally(() => pending.delete(uri))
    pending.set(uri, started)
    return started
  }

  return {
    async read(where, which) {
      const uri = where.jwksUri ?? (await discoveredUri(discovery, where.issuer))
      if (uri === undefined) return undefined
      const now = context.clock.now().getTime()
      const known = entries.get(uri)
      const isCool = known !== undefined && now - known.triedAt < coolDownMs
      const isFresh = known?.keys !== undefined && now - known.readAt < freshMs
      const entry = isCool || (isFresh && which === 'known') ? known : await loadOnce(uri)
      return entry !== undefined && now - entry.readAt < staleMs ? entry.keys : undefined
    },
  }
}

async function discoveredUri(discovery: Discovery, issuer: string | undefined): Promise<string | undefined> {
  if (issuer === undefined) return undefined
  try {
    return (await discovery.discover(issuer)).jwks_uri
  } catch {
    // Why it failed is told where a provider is set up; here it only means that there are no keys.
    return undefined
  }
}

async function fetchKeys(egress: Egress, uri: string): Promise<LocalKeySet | undefined> {
  try {
    const headers = { accept: 'application/json, application/jwk-set+json' }
    const reply = await egress.request({ method: 'GET', url: uri, headers, maxBytes })
    const document = reply.status === 200 ? jsonObject(reply.body) : undefined
    if (!isKeySet(document)) return undefined
    return createLocalJWKSet(document)
  } catch {
    return undefined
  }
}

function isKeySet(document: unknown): document is JSONWebKeySet {
  return typeof document === 'object' && document !== null && 'keys' in document && Array.isArray(document.keys)
}
