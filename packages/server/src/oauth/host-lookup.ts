import { promises as dns } from 'node:dns'

/** Resolves a host name to all its addresses; empty when it has none, rejects when that cannot be found out. */
export type Lookup = (host: string) => Promise<readonly string[]>

const timeoutMs = 2_000
const tries = 2
const noSuchName = new Set(['ENOTFOUND', 'ENODATA'])

/**
 * Asks the name servers directly; `servers` are `address:port` entries, by default the system's own.
 *
 * The system's call occupies one of the process's few threads for as long as it takes, so a tenant whose name servers
 * never answer would stop the lookups, file reads and ciphers of all others. The price: the hosts file does not count.
 */
export function dnsLookup(servers?: readonly string[]): Lookup {
  return async (host) => {
    // RFC 6761 §6.3: these names are loopback whatever a name server says.
    if (/(?:^|\.)localhost\.?$/i.test(host)) return ['127.0.0.1', '::1']
    // A new one each time notices changed network settings, as the system's call does.
    const resolver = new dns.Resolver({ timeout: timeoutMs, tries })
    if (servers !== undefined) resolver.setServers(servers)
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    const failure = answers.find((answer) => answer.status === 'rejected' && !saysNone(answer.reason))
    if (addresses.length === 0 && failure?.status === 'rejected') throw failure.reason
    return addresses
  }
}

/** The system's own call, hosts file included; only for names the operator listed, since it can block a thread. */
export async function systemLookup(host: string): Promise<readonly string[]> {
  // RFC 6761 §6.3 again; few systems know it for the names below `localhost`.
  if (/\.localhost\.?$/i.test(host)) return ['127.0.0.1', '::1']
  const found = await dns.lookup(host, { all: true, order: 'verbatim' })
  return found.map((entry) => entry.address)
}

function saysNone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && noSuchName.has(String(error.code))
}
