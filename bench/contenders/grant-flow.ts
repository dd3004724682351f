/** The flow by `grant`, with sessions in memory: nothing is stored, nothing is sealed, and nobody is authenticated. */
import { randomUUID } from 'node:crypto'
import cookie from '@fastify/cookie'
import Fastify from 'fastify'
import grantModule from 'grant'
import { announce, readSettings } from '../measure/answer.ts'

export interface GrantFlowSettings {
  readonly provider: string
  readonly clientId: string
  readonly clientSecret: string
}

/** What grant keeps between departure and callback. */
type Session = { grant?: unknown }

declare module 'fastify' {
  interface FastifyRequest {
    session: Session
    grant: unknown
  }
  interface FastifyReply {
    grant: { readonly response?: { readonly access_token?: string } } | null
  }
}

// Its types tell of an ES module with a default export; it is CommonJS.
const { fastify: grant } = grantModule as unknown as typeof grantModule.default

// Written by the question in the same run.
const settings = (await readSettings()) as GrantFlowSettings
const sessions = new Map<string, Session>()
const app = Fastify()
app.decorateReply('grant', null)
app.decorateRequest('grant', null)
await app.register(cookie)
app.addHook('onRequest', async (request, reply) => {
  const sent = request.cookies['session']
  const known = sent === undefined ? undefined : sessions.get(sent)
  if (known !== undefined) {
    request.session = known
    return
  }
  const id = randomUUID()
  request.session = {}
  sessions.set(id, request.session)
  void reply.setCookie('session', id, { path: '/', httpOnly: true })
})
// With `state` as its transport grant answers the callback with an empty 200; whether there are tokens is seen here.
app.addHook('onSend', async (request, reply) => {
  if (!request.url.startsWith('/connect/standin/callback')) return
  if (reply.grant?.response?.access_token === undefined) reply.code(400)
  const id = request.cookies['session']
  if (id !== undefined) sessions.delete(id)
})
await app.register(
  grant({
    defaults: { origin: 'https://grant.example', prefix: '/connect', transport: 'state', state: true, pkce: true },
    standin: {
      oauth: 2,
      authorize_url: `${settings.provider}/authorize`,
      access_url: `${settings.provider}/token`,
      key: settings.clientId,
      secret: settings.clientSecret,
    },
  }),
)
announce(await app.listen({ host: '127.0.0.1', port: 0 }))
