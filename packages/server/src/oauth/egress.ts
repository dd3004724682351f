/**
 * oauth/: the protocol. Knows RFCs, not tenants and not the database.
 *
 * This file is the only way out of the process: every request to a provider, its keys, its metadata or a webhook
 * endpoint passes here, so that one set of rules decides where the service may connect.
 */
import { isIP } from 'node:net'
import { Agent, buildConnector } from 'undici'
import { classifyAddress } from './address-rules.ts'
import { EgressError, StreamError } from './egress-error.ts'
import { asFetch } from './egress-fetch.ts'
import { createPools, type poolLimits } from './egress-pools.ts'
import { send } from './egress-send.ts'
import { stream } from './egress-stream.ts'
import { dnsLookup, systemLookup, type Lookup } from './host-lookup.ts'
import type { BeginReply, StreamEnd, StreamRequest, StreamTarget } from './stream-request.ts'

export { EgressError, StreamError } from './egress-error.ts'

/** One request to the outside. */
export interface EgressRequest {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PUT' | 'PATCH' | 'HEAD'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Covers all of it, from the name lookup to the last byte of the body; default 10,000. */
  readonly deadlineMs?: number
  /** Of the body after decompression; default 65,536. */
  readonly maxBytes?: number
}

/** The whole reply, read and unpacked. */
export interface EgressReply {
  readonly status: number
  /** Names in lower case; repeated headers joined by a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** The guarded client. */
export interface Egress {
  /** Throws `EgressError` only. A redirect is a reply like any other and is never followed. */
  request(request: EgressRequest): Promise<EgressReply>
  /** The same guards in the shape of `fetch`, for libraries that take one. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
  /** The same guards for bodies of any size, which pass through as they come; see `stream-request.ts`. */
  stream(request: StreamRequest, begin: BeginReply): Promise<StreamEnd>
  /** Throws `EgressError` `refused` for what can be judged without a lookup: scheme, user info, literal addresses. */
  assertAllowed(url: string): void
  /** Ends idle connections after the requests in flight. */
  close(): Promise<void>
}

/**
 * Makes the guarded client.
 *
 * `allowedPrivateHosts` holds `host:port` entries: only they may be reached by plain http or on a private address, and
 * not even they on a metadata address. Every address of a name is checked and the connection goes to the
 * checked addresses, so a second, different DNS answer changes nothing. Throws `TypeError` on a malformed entry.
 *
 * Names are asked of the name servers. Only listed hosts are looked up the system's way: a name that stands in the hosts
 * file alone, or needs a search domain, must be in `allowedPrivateHosts` even if its address is public.
 */
export function createEgress(options: {
  readonly allowedPrivateHosts: readonly string[]
  readonly lookup?: Lookup
  /** For tests; the defaults are in `egress-pools.ts`. */
  readonly poolLimits?: Partial<typeof poolLimits>
}): Egress {
  const privateHosts = new Set(options.allowedPrivateHosts.map(parseHostEntry))
  const lookups = { listed: options.lookup ?? systemLookup, other: options.lookup ?? dnsLookup() }

  function judgeUrl(text: string): URL {
    const url = URL.parse(text)
    if (url === null) throw new EgressError('refused', 'the address cannot be parsed', false)
    const host = hostKey(url.protocol, url.hostname, url.port)
    const isListed = privateHosts.has(host)
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isListed)) {
      throw new EgressError('refused', `${host} must be reached by https`, false)
    }
    if (url.username !== '' || url.password !== '') {
      throw new EgressError('refused', `the address of ${host} carries user info`, false)
    }
    const literal = unbracketed(url.hostname)
    if (isIP(literal) !== 0) judgeAddress(host, literal, isListed)
    return url
  }

  /** Like `judgeUrl`, for an address that is sent as it is written: so the text must be what was judged. */
  function judgeTarget(text: string): StreamTarget {
    try {
      const { origin, host } = judgeUrl(text)
      const path = text.slice(origin.length)
      if (text.startsWith(`${origin}/`) && /^[\x21-\x7e]*$/.test(path) && !/[\\#]/.test(path))
        return { origin, host, path }
      throw new EgressError('refused', `the address at ${host} is not in its plain form`, false)
    } catch (error) {
      throw error instanceof EgressError ? new StreamError(error.kind, error.message, false) : error
    }
  }

  const connectors = { listed: connectorFor('listed'), other: connectorFor('other') }
  function connectorFor(kind: 'listed' | 'other'): buildConnector.connector {
    return buildConnector({
      allowH2: false,
      timeout: 10_000,
      lookup(host, _options, callback) {
        checkedAddresses(lookups[kind], host, kind === 'listed').then(
          (addresses) => callback(null, addresses),
          (error: unknown) => callback(error instanceof Error ? error : new Error('lookup failed'), []),
        )
      },
    })
  }

  const connect: buildConnector.connector = (connectOptions, callback) => {
    const host = hostKey(connectOptions.protocol, connectOptions.hostname, connectOptions.port)
    const isListed = privateHosts.has(host)
    const literal = unbracketed(connectOptions.hostname)
    try {
      // Literal addresses never reach `lookup`, so they are judged here as well as before.
      if (isIP(literal) !== 0) judgeAddress(host, literal, isListed)
    } catch (error) {
      callback(error instanceof Error ? error : new Error('refused'), null)
      return
    }
    connectors[isListed ? 'listed' : 'other'](connectOptions, callback)
  }
  const agent = new Agent({
    allowH2: false,
    connections: 64,
    pipelining: 1,
    keepAliveTimeout: 10_000,
    keepAliveMaxTimeout: 60_000,
    maxHeaderSize: 16_384,
    connect,
  })
  const pools = createPools(connect, options.poolLimits)

  const request = async (given: EgressRequest): Promise<EgressReply> => send(agent, judgeUrl(given.url), given)
  return {
    request,
    fetch: asFetch(request),
    async stream(given, begin) {
      const target = judgeTarget(given.url)
      return stream(pools.enter(target.origin, given.bulkhead), target, given, begin)
    },
    assertAllowed: (url) => void judgeUrl(url),
    async close() {
      await Promise.all([agent.close(), pools.close()])
    },
  }
}

async function checkedAddresses(
  lookup: Lookup,
  host: string,
  isListed: boolean,
): Promise<{ address: string; family: 4 | 6 }[]> {
  const addresses = await lookup(host)
  if (addresses.length === 0) throw new EgressError('network', `${host} has no address`, false)
  // One bad answer condemns the name: which of them is used would be the resolver's choice.
  for (const address of addresses) judgeAddress(host, address, isListed)
  return addresses.map((address) => ({ address, family: isIP(address) === 6 ? 6 : 4 }))
}

function judgeAddress(host: string, address: string, isListed: boolean): void {
  const found = classifyAddress(address)
  if (found === 'public' || (found === 'private' && isListed)) return
  throw new EgressError('refused', `${host} is not on a public address`, false)
}

function hostKey(protocol: string, hostname: string, port: string): string {
  const host = isIP(hostname) === 6 ? `[${hostname}]` : hostname
  return `${host.toLowerCase()}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`
}

function unbracketed(hostname: string): string {
  return hostname.startsWith('[') && hostname.endsWith(']') ? hostname.slice(1, -1) : hostname
}

function parseHostEntry(entry: string): string {
  const url = /^[^/@?#\\]+:\d{1,5}$/.test(entry) ? URL.parse(`http://${entry}`) : null
  if (url === null) throw new TypeError(`not a host:port entry: ${entry}`)
  return hostKey('http:', url.hostname, url.port)
}
