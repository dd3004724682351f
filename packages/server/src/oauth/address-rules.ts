import ipaddr from 'ipaddr.js'

/** What an address is to this service: reachable, reachable for hosts the operator listed, or out of bounds for all. */
export type AddressClass = 'public' | 'private' | 'forbidden'

// Cloud metadata and host agents outside the link-local range. They hand out the machine's own credentials, so no
// setting opens them; 168.63.129.16 is in public space, which the range rules alone would let through.
const machineAddresses = new Set([
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
])

/**
 * Judges one literal address, IPv4 or IPv6 without brackets; whatever does not parse is `forbidden`.
 *
 * An IPv6 address counts as public only inside 2000::/3 and outside every special range, so ranges nobody listed fail
 * closed. Transition forms (v4-mapped, NAT64, 6to4, Teredo) are never public: they carry an IPv4 address of the
 * sender's choice (RFC 6052, RFC 3056, RFC 4380).
 */
export function classifyAddress(text: string): AddressClass {
  if (!ipaddr.isValid(text)) return 'forbidden'
  const address = ipaddr.parse(text)
  const carried = address instanceof ipaddr.IPv6 ? carriedIpv4(address) : undefined
  if (isMachineAddress(address) || (carried !== undefined && isMachineAddress(carried))) return 'forbidden'
  const range = address.range()
  if (range === 'multicast' || range === 'broadcast') return 'forbidden'
  if (range !== 'unicast') return 'private'
  if (address instanceof ipaddr.IPv6 && (address.parts[0] ?? 0) >>> 13 !== 1) return 'private'
  return 'public'
}

function isMachineAddress(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  // All of link-local, because every cloud keeps its metadata service there and nothing else of use.
  const text = address instanceof ipaddr.IPv6 ? new ipaddr.IPv6(address.parts).toString() : address.toString()
  return address.range() === 'linkLocal' || machineAddresses.has(text)
}

/** The IPv4 address inside a v4-mapped, v4-compatible, translated or 6to4 one. */
function carriedIpv4(address: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  const bytes = address.toByteArray()
  const range = address.range()
  if (range === '6to4') return new ipaddr.IPv4(bytes.slice(2, 6))
  const isTranslated = range === 'ipv4Mapped' || range === 'rfc6145' || range === 'rfc6052'
  const isCompatible = bytes.slice(0, 12).every((byte) => byte === 0)
  return isTranslated || isCompatible ? new ipaddr.IPv4(bytes.slice(12)) : undefined
}
