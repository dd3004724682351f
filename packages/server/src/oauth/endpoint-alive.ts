import type { ProviderClient } from '../core/token.ts'
import { EgressError } from './egress.ts'
import { fillClientId, fillLater } from './endpoints.ts'
import type { ProtocolContext } from './protocol-context.ts'

/**
 * Whether the address that refreshes answers at all, found out by a `HEAD` that carries nothing.
 *
 * For tokens that work once, before one is risked at a provider that was in trouble a moment ago. Any status below 500 will
 * do, since most token endpoints take POST only (RFC 6749 §3.2).
 */
export async function isRefreshUrlAlive(
  context: Pick<ProtocolContext, 'egress'>,
  client: ProviderClient,
  kept: Readonly<Record<string, string>>,
): Promise<boolean> {
  const url = fillLater(client.endpoints.refreshUrl, kept, client.definition)
  // The refresh itself will say what is wrong with the address, and send nothing.
  if (url === undefined) return true
  try {
    const { status } = await context.egress.request({ method: 'HEAD', url: fillClientId(url, client.clientId) })
    return status < 500
  } catch (error) {
    if (error instanceof EgressError) return error.kind === 'refused'
    throw error
  }
}
