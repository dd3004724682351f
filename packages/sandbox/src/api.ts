import type { AccessToken, Context, Middleware, Provider } from 'oidc-provider'
import { accountOf } from './accounts.ts'
import type { Behaviour, Counters } from './behaviour.ts'
import { noteBook, type NoteBook } from './notes.ts'
import { readText } from './request-body.ts'
import type { SandboxStore } from './store.ts'
import { sendFailure } from './token-endpoint.ts'

interface ApiParts {
  readonly provider: Provider
  readonly store: SandboxStore
  readonly counts: Counters
  readonly behaviour: Behaviour
}

type Handler = (ctx: Context, subject: string, token: AccessToken) => void | Promise<void>

/**
 * The protected API: `GET /api/v1/profile` (scope `profile`), `GET` and `POST /api/v1/notes` (`notes.read`,
 * `notes.write`), and `DELETE /api/v1/access` (`openid`), by which the user takes the app's access away. A bad token is a 401 and a missing scope a 403, with the challenges of RFC 6750 §3.
 */
export function api(parts: ApiParts): Middleware {
  const { behaviour, counts, provider, store } = parts
  const notes = noteBook()
  const routes: Readonly<Record<string, { readonly scope: string; readonly handle: Handler }>> = {
    'GET /api/v1/profile': { scope: 'profile', handle: (ctx, subject) => sendProfile(ctx, store, subject) },
    'GET /api/v1/notes': { scope: 'notes.read', handle: (ctx, subject) => sendNotes(ctx, notes, subject) },
    'POST /api/v1/notes': { scope: 'notes.write', handle: (ctx, subject) => addNote(ctx, notes, subject) },
    'DELETE /api/v1/access': { scope: 'openid', handle: (ctx, _subject, token) => endAccess(ctx, store, token) },
  }

  return async (ctx, next) => {
    if (!ctx.path.startsWith('/api/')) return next()
    counts.apiCalls += 1
    ctx.set('cache-control', 'no-store')
    if (behaviour.failApiWith !== undefined) return sendFailure(ctx, behaviour.failApiWith, behaviour.retryAfter)
    const token = await authenticate(provider, ctx)
    if (token === undefined) return
    const route = routes[`${ctx.method} ${ctx.path}`]
    if (route === undefined) return sendError(ctx, 404, 'not_found', 'There is no such resource')
    if (!token.scopes.has(route.scope)) {
      challenge(ctx, { error: 'insufficient_scope', error_description: 'The token lacks a scope', scope: route.scope })
      return sendError(ctx, 403, 'insufficient_scope', `This call needs the scope ${route.scope}`)
    }
    await route.handle(ctx, token.accountId, token)
  }
}

async function authenticate(provider: Provider, ctx: Context): Promise<AccessToken | undefined> {
  const [, value] = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(ctx.get('authorization')) ?? []
  if (value === undefined) {
    challenge(ctx, {})
    sendError(ctx, 401, 'unauthorized', 'Send an access token as a bearer token')
    return undefined
  }
  const token = await provider.AccessToken.find(value)
  if (token !== undefined) return token
  challenge(ctx, { error: 'invalid_token', error_description: 'The access token is unknown, expired or revoked' })
  sendError(ctx, 401, 'invalid_token', 'The access token is unknown, expired or revoked')
  return undefined
}

function challenge(ctx: Context, parameters: Readonly<Record<string, string>>): void {
  const all = Object.entries({ realm: 'sandbox', ...parameters })
  ctx.set('www-authenticate', `Bearer ${all.map(([name, value]) => `${name}="${value}"`).join(', ')}`)
}

function sendError(ctx: Context, status: number, error: string, message: string): void {
  ctx.status = status
  ctx.body = { error, message }
}

function sendProfile(ctx: Context, store: SandboxStore, subject: string): void {
  const { name, email, login } = accountOf(store.loginOf(subject) ?? subject)
  ctx.body = { id: subject, name, email, username: login }
}

const MAX_PAGE = 100

function sendNotes(ctx: Context, notes: NoteBook, subject: string): void {
  const query = new URLSearchParams(ctx.querystring)
  const limit = Number(query.get('limit') ?? 20)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
    return sendError(ctx, 400, 'invalid_limit', `limit is a number from 1 to ${MAX_PAGE}`)
  }
  const page = notes.list(subject, query.get('cursor') ?? undefined, limit)
  if (page === undefined) return sendError(ctx, 400, 'invalid_cursor', 'Take the cursor from next_cursor')
  ctx.body = { notes: page.notes, next_cursor: page.nextCursor ?? null }
}

async function addNote(ctx: Context, notes: NoteBook, subject: string): Promise<void> {
  const fields = fieldsOf(await readText(ctx.req))
  const title = fields.get('title')
  const text = fields.get('text') ?? ''
  if (typeof title !== 'string' || title === '' || typeof text !== 'string') {
    return sendError(ctx, 400, 'invalid_note', 'Send JSON with a title and, if you like, a text')
  }
  const added = notes.add(subject, title, text)
  if (added === undefined) return sendError(ctx, 409, 'account_full', 'A sandbox account holds at most 1000 notes')
  ctx.status = 201
  ctx.body = added
}

/** What a user does at a real provider under *apps with access to your account*: the app is not told. */
function endAccess(ctx: Context, store: SandboxStore, token: AccessToken): void {
  store.revokeGrant(token.grantId)
  ctx.status = 204
}

function fieldsOf(text: string): ReadonlyMap<string, unknown> {
  try {
    const body: unknown = JSON.parse(text)
    return new Map<string, unknown>(typeof body === 'object' && body !== null ? Object.entries(body) : [])
  } catch {
    return new Map()
  }
}
