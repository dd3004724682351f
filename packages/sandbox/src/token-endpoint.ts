import { setTimeout as delay } from 'node:timers/promises'
import type { Context, Middleware } from 'oidc-provider'
import type { Behaviour, Counters } from './behaviour.ts'
import type { ClientRegister } from './clients.ts'
import type { Json, Quirk, TokenError, TokenTransport } from './quirks.ts'
import { asFormRequest, readText } from './request-body.ts'
import type { SandboxStore } from './store.ts'

interface TokenEndpointParts {
  readonly clients: ClientRegister
  readonly store: SandboxStore
  readonly counts: Counters
  readonly behaviour: Behaviour
  readonly quirkOf: (clientId: string | undefined) => Quirk
}

interface TokenRequest {
  readonly transport: TokenTransport
  readonly fields: URLSearchParams
  /** From the `Authorization` header; `undefined` without HTTP Basic. */
  readonly basicUser: string | undefined
}

/**
 * Stands before and after the token endpoint: reads the request as the client's quirk has it, hands the library a
 * standard form, shapes the reply, and misbehaves when told to.
 */
export function tokenEndpoint(parts: TokenEndpointParts): Middleware {
  const { behaviour, counts, quirkOf, store } = parts

  return async (ctx, next) => {
    if (ctx.path !== '/token' || (ctx.method !== 'POST' && ctx.method !== 'GET')) return next()
    counts.tokenRequests += 1
    if (behaviour.failTokenWith !== undefined) {
      await delay(behaviour.replyAfterMs)
      return sendFailure(ctx, behaviour.failTokenWith, behaviour.retryAfter)
    }

    const request = await readTokenRequest(ctx)
    const quirk = quirkOf(request.basicUser ?? request.fields.get('client_id') ?? undefined)
    const grantType = request.fields.get('grant_type') ?? ''
    const refusal = refuse(request, quirk, parts.clients)
    if (refusal !== undefined) {
      ctx.status = refusal.status
      ctx.body = refusal.body
    } else {
      quirk.tokenRequest?.(request.fields)
      ctx.req = ctx.request.req = asFormRequest(ctx.req, request.fields)
      await next()
      store.flush()
    }

    shapeReply(ctx, quirk, grantType)
    if (behaviour.replyAfterMs > 0) await delay(behaviour.replyAfterMs)
    if (behaviour.garbleTokenReply) garble(ctx)
    if (behaviour.dropTokenReply) cutConnection(ctx)
  }
}

/** Answers as a provider in trouble does: `Retry-After` when it is set, and an error that fits the status. */
export function sendFailure(ctx: Context, status: number, retryAfter: string | undefined): void {
  ctx.status = status
  if (retryAfter !== undefined) ctx.set('retry-after', retryAfter)
  const errors: Readonly<Record<number, string>> = {
    400: 'invalid_request',
    401: 'invalid_client',
    500: 'server_error',
  }
  ctx.body = { error: errors[status] ?? 'temporarily_unavailable', error_description: 'The sandbox was told to fail' }
}

/** Ends the connection without a reply. */
export function cutConnection(ctx: Context): void {
  ctx.respond = false
  ctx.res.destroy()
}

async function readTokenRequest(ctx: Context): Promise<TokenRequest> {
  const basicUser = userOfBasic(ctx.get('authorization'))
  if (ctx.method === 'GET') return { transport: 'query', fields: new URLSearchParams(ctx.querystring), basicUser }
  const text = await readText(ctx.req)
  return ctx.get('content-type').startsWith('application/json')
    ? { transport: 'json', fields: fieldsOfJson(text), basicUser }
    : { transport: 'form', fields: new URLSearchParams(text), basicUser }
}

function userOfBasic(header: string): string | undefined {
  const [, encoded] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header) ?? []
  if (encoded === undefined) return undefined
  const [user = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  // Form-encoded before Base64, RFC 6749 §2.3.1.
  return new URLSearchParams(`user=${user}`).get('user') ?? undefined
}

function fieldsOfJson(text: string): URLSearchParams {
  const fields = new URLSearchParams()
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body !== 'object' || body === null) return fields
    for (const [name, value] of Object.entries(body)) if (typeof value === 'string') fields.set(name, value)
  } catch {
    // Not JSON: the missing fields are refused by name further on.
  }
  return fields
}

const TRANSPORT_NAMES: Readonly<Record<TokenTransport, string>> = {
  form: 'POST with a form',
  json: 'POST with JSON',
  query: 'GET with a query',
}

function refuse(request: TokenRequest, quirk: Quirk, clients: ClientRegister): TokenError | undefined {
  const transport = quirk.transport ?? 'form'
  if (request.transport !== transport) {
    const body = { error: 'invalid_request', error_description: `this endpoint takes ${TRANSPORT_NAMES[transport]}` }
    return { status: 400, body }
  }
  const pinned = clients.find(request.basicUser ?? request.fields.get('client_id') ?? '')?.tokenEndpointAuthMethod
  const method = quirk.basicOnly === true ? 'client_secret_basic' : pinned
  const wrongPlace =
    (method === 'client_secret_basic' && request.basicUser === undefined) ||
    (method === 'client_secret_post' && request.basicUser !== undefined)
  if (!wrongPlace) return undefined
  return { status: 401, body: { error: 'invalid_client', error_description: `this client must use ${method}` } }
}

function shapeReply(ctx: Context, quirk: Quirk, grantType: string): void {
  if (!isJson(ctx.body)) return
  if (ctx.status === 200) {
    ctx.body = quirk.tokenReply?.(ctx.body, grantType) ?? ctx.body
  } else if (quirk.tokenError !== undefined) {
    const error = quirk.tokenError({ status: ctx.status, body: ctx.body }, grantType)
    ctx.status = error.status
    ctx.body = error.body
  }
  if (quirk.formReply === true && !ctx.get('accept').includes('json')) {
    const fields = new URLSearchParams()
    for (const [name, value] of Object.entries(ctx.body ?? {})) fields.set(name, String(value))
    ctx.body = fields.toString()
    ctx.type = 'application/x-www-form-urlencoded'
  }
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null
}

function garble(ctx: Context): void {
  ctx.status = 200
  ctx.type = 'text/html'
  ctx.body = '<!doctype html><title>Maintenance</title><p>We will be back soon.</p>'
}
