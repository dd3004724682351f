import type { TokenFailure } from '../core/token.ts'
import { EgressError, type Egress, type EgressReply, type EgressRequest } from './egress.ts'

/** A request to a token endpoint before it is encoded. */
export interface TokenCall {
  readonly url: string
  readonly format: 'form' | 'json' | 'query'
  readonly headers: Readonly<Record<string, string>>
  readonly parameters: Readonly<Record<string, string>>
  readonly deadlineMs: number | undefined
}

/**
 * Makes a request to a token endpoint and tells trouble on the way as a failure instead of throwing.
 *
 * `query` sends everything, the secret too, in the address of a GET; only reviewed definitions say so.
 */
export async function callTokenEndpoint(egress: Egress, call: TokenCall): Promise<EgressReply | TokenFailure> {
  try {
    return await egress.request(encodeCall(call))
  } catch (error) {
    if (error instanceof EgressError) return egressFailure(error)
    throw error
  }
}

/** What an `EgressError` means for a token request. */
function egressFailure(error: EgressError): TokenFailure {
  const reason = error.kind === 'too_large' ? 'nonsense' : error.kind
  return { kind: 'unavailable', reason, sent: error.sent, retryAfterSeconds: undefined }
}

function encodeCall(call: TokenCall): EgressRequest {
  const more = call.deadlineMs === undefined ? {} : { deadlineMs: call.deadlineMs }
  const headers = { accept: 'application/json', ...lowerCase(call.headers) }
  switch (call.format) {
    case 'form': {
      const body = new URLSearchParams(call.parameters).toString()
      const type = 'application/x-www-form-urlencoded'
      return { method: 'POST', url: call.url, headers: { 'content-type': type, ...headers }, body, ...more }
    }
    case 'json': {
      const body = JSON.stringify(call.parameters)
      return {
        method: 'POST',
        url: call.url,
        headers: { 'content-type': 'application/json', ...headers },
        body,
        ...more,
      }
    }
    case 'query': {
      const url = new URL(call.url)
      for (const [name, value] of Object.entries(call.parameters)) url.searchParams.set(name, value)
      return { method: 'GET', url: url.href, headers, ...more }
    }
  }
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
