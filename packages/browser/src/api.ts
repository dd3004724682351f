import { ConnectError, failureOf } from './connect-error.ts'

/** Where the service is, and who asks. */
export interface ServiceAccess {
  /** The service's address, such as `https://connectors.example.com`, or your same-origin proxy's `/api-proxy`. */
  readonly baseUrl: string
  /**
   * The user's bearer token, asked for before every request, so that it is never stale. Leave it out behind a
   * same-origin proxy that adds the token itself.
   */
  readonly getAuthorization?: () => Promise<string> | string
}

/** `session_id`, and how far it has come. */
export interface SessionStatus {
  readonly status: 'created' | 'started' | 'awaiting_completion' | 'connected' | 'failed' | 'expired'
  readonly error_code: string | null
  readonly connector_id: string | null
}

export interface Session {
  readonly session_id: string
  readonly authorize_url: string
  readonly expires_at: string
}

/** The answer of a completed connection. */
export interface Completed {
  readonly provider: string
  readonly collection_id: string
  readonly connector_id: string
}

/** One request to the OAuth part of the service. Throws `ConnectError` only. */
export async function call<Answer>(
  access: ServiceAccess,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<Answer> {
  const token = await access.getAuthorization?.()
  let reply: Response
  try {
    reply = await fetch(`${access.baseUrl.replace(/\/$/, '')}/v1/connectors/oauth${path}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    })
  } catch {
    throw new ConnectError('network', 'The connector service could not be reached.')
  }
  const answer = (await reply.json().catch(() => undefined)) as Answer & { detail?: unknown; code?: string }
  if (reply.ok && answer !== undefined) return answer
  const detail = typeof answer?.detail === 'string' ? answer.detail : `The connector service answered ${reply.status}.`
  throw failureOf(answer?.code ?? `http_${reply.status}`, detail)
}
