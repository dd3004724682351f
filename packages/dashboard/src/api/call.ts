import { readSession, signOut } from './session.ts'

export interface FieldProblem {
  /** Dotted, without where it stood: `url_variables.subdomain`. */
  readonly field: string
  readonly message: string
}

/** What the service, or the way to it, answered instead of what was asked for. */
export class CallProblem extends Error {
  readonly status: number
  readonly code: string
  /** To be quoted to whoever runs the service. */
  readonly correlationId: string | undefined
  readonly fields: readonly FieldProblem[]

  constructor(about: Pick<CallProblem, 'message' | 'status' | 'code' | 'correlationId' | 'fields'>) {
    super(about.message)
    this.name = 'CallProblem'
    this.status = about.status
    this.code = about.code
    this.correlationId = about.correlationId
    this.fields = about.fields
  }
}

export interface CallOptions {
  readonly body?: unknown
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** Calls the public API as whoever is signed in. Throws a {@link CallProblem}; a 401 signs out. */
export async function call<Body>(method: string, path: string, options: CallOptions = {}): Promise<Body> {
  const response = await send(method, path, options)
  if (response.status === 204) return undefined as Body
  // The service's own answers, in the shapes of the contract.
  return (await response.json()) as Body
}

/** The same, with the answer as it came. */
export async function send(method: string, path: string, options: CallOptions = {}): Promise<Response> {
  const response = await reach(method, path, options)
  if (response.ok) return response
  const problem = await problemOf(response)
  // Another code at 401 is the proxied provider's word, or a lease's, and says nothing of this sign-in.
  if (response.status === 401 && (problem.code === 'unauthorized' || problem.code === 'token_expired')) {
    signOut('You are signed out now, since the sign-in has ended. Sign in again; you come back to this page.')
  }
  throw problem
}

async function reach(method: string, path: string, options: CallOptions): Promise<Response> {
  const { body, query = {}, headers, signal } = options
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(name, String(value))
  }
  try {
    return await fetch(search.size === 0 ? path : `${path}?${search.toString()}`, {
      method,
      headers: {
        authorization: `Bearer ${readSession()?.token ?? ''}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw new CallProblem({
      message: 'The service could not be reached. Check the connection and try again.',
      status: 0,
      code: 'unreachable',
      correlationId: undefined,
      fields: [],
    })
  }
}

interface ErrorAnswer {
  readonly detail?: string | readonly { readonly loc: readonly (string | number)[]; readonly msg: string }[]
  readonly code?: string
  readonly correlation_id?: string
}

/** What a failed answer says, put into one sentence and, where there are any, the fields it is about. */
export async function problemOf(response: Response): Promise<CallProblem> {
  const answer = (await response.json().catch(() => ({}))) as ErrorAnswer
  const { detail } = answer
  const fields =
    typeof detail === 'object' ? detail.map(({ loc, msg }) => ({ field: loc.slice(1).join('.'), message: msg })) : []
  const sentence =
    typeof detail === 'string'
      ? detail
      : fields.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`)).join('; ')
  return new CallProblem({
    message: sentence === '' ? `The service answered with status ${response.status}.` : sentence,
    status: response.status,
    code: answer.code ?? (fields.length > 0 ? 'invalid_request' : `status_${response.status}`),
    correlationId: answer.correlation_id ?? response.headers.get('x-request-id') ?? undefined,
    fields,
  })
}
