import { ConnectError, refusedWith } from './connect-error.ts'

/** Where the service is, and who asks. */
export interface ServiceAccess {
  /** The service's address, such as `https://connectors.example.com`, or your same-origin proxy's `/api-proxy`. */
  readonly baseUrl: string
  /**
   * The user's bearer token, asked for before every request, so that it is never stale. Leave it out behind a
   * same-origin proxy that adds the token itself.
   */
  readonly getAuthorization?: (() => Promise<string> | string) | undefined
}

const timeoutMs = 20_000

/** One request to the service. Throws `ConnectError` only. */
export async function call<Answer>(
  access: ServiceAccess,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<Answer> {
  const token = await tokenOf(access)
  let reply: Response
  let answer: unknown
  try {
    reply = await fetch(access.baseUrl.replace(/\/$/, '') + path, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    answer = await reply.json()
  } catch (cause) {
    throw new ConnectError(
      'network',
      'The connector service could not be reached; if it is up, check that it allows this page’s origin.',
      undefined,
      cause,
    )
  }
  // The service's own answer: its schemas are what it sends.
  if (reply.ok) return answer as Answer
  throw refusal(reply.status, answer)
}

async function tokenOf({ getAuthorization }: ServiceAccess): Promise<string | undefined> {
  try {
    return await getAuthorization?.()
  } catch (cause) {
    throw new ConnectError('refused', 'getAuthorization gave no token.', 'no_authorization', cause)
  }
}

/** 422 has a list of problems in `detail`; every other refusal has a sentence there and a code. */
function refusal(status: number, answer: unknown): ConnectError {
  const { code, detail } = (answer ?? {}) as { code?: unknown; detail?: unknown }
  const problems = Array.isArray(detail) ? (detail as { loc?: unknown[]; msg?: unknown }[]) : []
  const message = problems.map(({ loc, msg }) => `${loc?.slice(1).join('.')}: ${String(msg)}`).join('; ')
  if (status === 422) return refusedWith('invalid_request', message)
  const sentence = typeof detail === 'string' ? detail : `The connector service answered ${status}.`
  if (typeof code === 'string') return refusedWith(code, sentence)
  return new ConnectError(status >= 500 ? 'network' : 'refused', sentence, `http_${status}`)
}
