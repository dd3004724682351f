import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Connectors } from './connectors.ts'
import { homePage, landingPage, signInPage } from './pages.ts'
import { users, type User } from './people.ts'
import type { Tokens } from './tokens.ts'

const sessionCookie = 'example_session'
const publicFiles = { 'app.js': 'text/javascript', 'landing.js': 'text/javascript', 'app.css': 'text/css' } as const

/** What the buttons of an account do. */
const acts: Readonly<Record<string, 'profile' | 'removeAccess' | 'disconnect'>> = {
  profile: 'profile',
  break: 'removeAccess',
  disconnect: 'disconnect',
}

/** Somebody who is signed in, and what came of the last thing they did. */
interface Session {
  readonly user: User
  /** Shown where its id stands in the address: to the window in which it was done, until it goes on. */
  said: { readonly id: string; readonly text: string } | undefined
}

/** Pages that wait to be told of a change, by tenant. */
export type Watchers = Map<string, Set<ServerResponse>>

/** The app's pages and its webhook. It holds no token of any provider. */
export async function createApp(connectors: Connectors, tokens: Tokens, watchers: Watchers): Promise<FastifyInstance> {
  const app = Fastify()
  const sessions = new Map<string, Session>()
  await app.register(cookie)
  await app.register(formbody)
  // A webhook's signature is over the bytes as they came.
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  const sessionOf = (request: FastifyRequest) => sessions.get(request.cookies[sessionCookie] ?? '')

  app.post<{ Body: { user?: string } }>('/sign-in', async (request, reply) => {
    const user = users.find(({ id }) => id === request.body.user)
    if (user === undefined) return reply.redirect('/', 303)
    const id = randomBytes(32).toString('base64url')
    sessions.set(id, { user, said: undefined })
    return reply.setCookie(sessionCookie, id, { httpOnly: true, sameSite: 'lax', path: '/' }).redirect('/', 303)
  })
  app.post('/sign-out', async (request, reply) => {
    sessions.delete(request.cookies[sessionCookie] ?? '')
    return reply.clearCookie(sessionCookie, { path: '/' }).redirect('/', 303)
  })
  app.get<{ Querystring: { said?: string } }>('/', async (request, reply) => {
    const session = sessionOf(request)
    if (session === undefined) return html(reply, signInPage())
    const { user, said } = session
    const message = said?.id === request.query.said ? said?.text : undefined
    return html(reply, homePage(user, connectors.baseUrl, await connectors.accounts(user), message))
  })
  app.get('/connected', async (_request, reply) => html(reply, landingPage(connectors.baseUrl)))
  // The browser's bearer token: only for whoever is signed in, for five minutes, and with no right but to connect.
  app.get('/token', async (request, reply) => {
    const session = sessionOf(request)
    if (session === undefined) return reply.code(401).send('Sign in first')
    return reply.header('cache-control', 'no-store').type('text/plain').send(tokens.forBrowser(session.user))
  })
  app.post<{ Params: { id: string; act: string } }>('/accounts/:id/:act', async (request, reply) => {
    const session = sessionOf(request)
    if (session === undefined) return reply.redirect('/', 303)
    const { id, act } = request.params
    const doing = acts[act]
    if (doing === undefined) return reply.redirect('/', 303)
    const said = { id: randomBytes(8).toString('base64url'), text: await connectors[doing](session.user, id) }
    session.said = said
    return reply.redirect(`/?said=${said.id}`, 303)
  })
  app.post<{ Params: { tenant: string }; Body: string }>('/hooks/:tenant', async (request, reply) => {
    const isGenuine = connectors.hear(request.params.tenant, request.headers, request.body)
    return reply.code(isGenuine ? 204 : 401).send()
  })
  app.get('/changes', (request, reply) => {
    const session = sessionOf(request)
    if (session === undefined) return reply.code(401).send()
    watch(watchers, session.user.tenant.id, reply)
  })
  for (const [name, type] of Object.entries(publicFiles)) {
    const file = new URL(`../public/${name}`, import.meta.url)
    app.get(`/public/${name}`, async (_request, reply) => reply.type(type).send(await readFile(file)))
  }
  app.addHook('preClose', async () => {
    for (const waiting of watchers.values()) for (const response of waiting) response.end()
  })
  return app
}

function html(reply: FastifyReply, page: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(page)
}

/** Keeps the answer open as a stream of server-sent events. */
function watch(watchers: Watchers, tenantId: string, reply: FastifyReply): void {
  reply.hijack()
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }).flushHeaders()
  const waiting = watchers.get(tenantId) ?? new Set()
  watchers.set(tenantId, waiting.add(reply.raw))
  reply.raw.once('close', () => waiting.delete(reply.raw))
}
