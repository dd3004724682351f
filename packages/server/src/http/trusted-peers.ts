import ipaddr from 'ipaddr.js'

const named: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

/**
 * Whether a connection comes from one of the addresses in `TRUST_PROXY`: addresses, networks, and the names Fastify knows.
 * Only who stands there may say which trace a request belongs to.
 */
export function trustedPeers(entries: readonly string[]): (remoteAddress: string | undefined) => boolean {
  const networks = entries.flatMap((entry) => named[entry] ?? [entry]).map(parseNetwork)
  return (remoteAddress) => {
    if (remoteAddress === undefined || !ipaddr.isValid(remoteAddress)) return false
    const address = ipaddr.process(remoteAddress)
    return networks.some(([network, bits]) => address.kind() === network.kind() && address.match(network, bits))
  }
}

function parseNetwork(entry: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  if (entry.includes('/')) return ipaddr.parseCIDR(entry)
  const address = ipaddr.process(entry)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}
