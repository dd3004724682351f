import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { EventStream, EventStreamHeaders, EventStreamQuery } from '@connector-oauth/contract/events.ts'
import { Problem } from '../../core/problem.ts'
import { readPosition, writePosition } from '../../domain/events.ts'
import type { Principal } from '../../domain/principal.ts'
import { streamEvents, type Streamed } from '../../domain/stream-events.ts'
import type { HttpContext } from '../http-context.ts'
import { addApiRoute } from '../route.ts'

const streamsOfPrincipal = 20
const streamsOfTenant = 200
/** A client that was cut off comes back after so long. */
const retryMs = 2_000
/** What Node.js can wait for; a token may live longer. */
const longestTimerMs = 2 ** 31 - 1

/**
 * `GET /v1/events/stream`
 *
 * Server-sent events; `id` is the place to go on from (`Last-Event-ID`). It ends when the bearer token does: a stream
 * must not outlive the right to read it.
 */
export function eventStreamRoute(app: FastifyInstance, http: HttpContext): void {
  const open = new Map<AbortController, Principal>()
  app.addHook('preClose', async () => {
    for (const stream of open.keys()) stream.abort()
  })

  addApiRoute(app, http, {
    method: 'GET',
    url: '/v1/events/stream',
    tag: 'Events',
    summary: 'Watch what happens, as server-sent events',
    schemas: { query: EventStreamQuery, headers: EventStreamHeaders },
    status: 200,
    response: EventStream,
    produces: ['text/event-stream'],
    async handle({ principal, query, headers }, reply) {
      const after = readPosition(headers['last-event-id'])
      refuseTooMany([...open.values()], principal)
      const ending = new AbortController()
      const filter = {
        category: query.category,
        resourceType: query.resource_type,
        resourceId: query.resource_id,
      }
      const streamed = streamEvents(http.flows, principal, filter, after, ending.signal)
      const stream = Readable.from(asText(streamed), { objectMode: false, highWaterMark: 65_536 })
      open.set(ending, principal)
      const lifeMs = principal.expiresAt.getTime() - http.flows.clock.now().getTime()
      const expiry = setTimeout(() => ending.abort(), Math.min(lifeMs, longestTimerMs))
      // Not the stream's own end: that waits until the generator is asked again.
      reply.raw.once('close', () => {
        clearTimeout(expiry)
        open.delete(ending)
        ending.abort()
      })
      // Proxies that collect a reply before they pass it on would hold events back.
      void reply.type('text/event-stream; charset=utf-8').header('x-accel-buffering', 'no')
      return stream
    },
  })
}

function refuseTooMany(open: readonly Principal[], { tenantId, issuer, subject }: Principal): void {
  const ofTenant = open.filter((other) => other.tenantId === tenantId)
  const own = ofTenant.filter((other) => other.issuer === issuer && other.subject === subject)
  if (ofTenant.length < streamsOfTenant && own.length < streamsOfPrincipal) return
  throw new Problem('too_many_streams', { retryAfterSeconds: 5 })
}

/**
 * The wire format of the HTML standard, §9.2. JSON holds no line break, so each event is one `data` line; a block without
 * one sets off no event, and still tells where to go on from.
 */
async function* asText(streamed: AsyncIterable<Streamed>): AsyncGenerator<string> {
  yield `retry: ${retryMs}\n\n`
  for await (const item of streamed) {
    const id = `id: ${writePosition(item.position)}\n`
    if (item.kind === 'quiet') yield `: quiet\n${id}\n`
    else yield `${id}event: ${item.event.event_type}\ndata: ${JSON.stringify(item.event)}\n\n`
  }
}
