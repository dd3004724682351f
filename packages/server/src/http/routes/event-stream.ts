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
/** How long a reader that was told of the end may take to read what is on its way. */
const readsEndWithinMs = 5_000
/** What Node.js can wait for; a token may live longer. */
const longestTimerMs = 2 ** 31 - 1

/** Why the service ends a stream; its last line says so. */
type EndReason = 'token expired' | 'shutting down'

/**
 * `GET /v1/events/stream`
 *
 * Server-sent events; `id` is the place to go on from (`Last-Event-ID`). It ends when the bearer token does: a stream
 * must not outlive the right to read it. Nothing else limits its life: the server's time limits are for requests that
 * arrive slowly (`limitBodyTime`), and this one has arrived.
 */
export function eventStreamRoute(app: FastifyInstance, http: HttpContext): void {
  const open = new Map<(reason: EndReason) => void, Principal>()
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
    for (const end of open.keys()) end('shutting down')
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
      let reason: EndReason | undefined
      let cut: NodeJS.Timeout | undefined
      const end = (why: EndReason): void => {
        reason ??= why
        ending.abort()
        // Whoever does not read never comes to the end, and would keep the connection, and the process with it.
        cut ??= setTimeout(() => reply.raw.destroy(), readsEndWithinMs)
      }
      const filter = {
        category: query.category,
        resourceType: query.resource_type,
        resourceId: query.resource_id,
      }
      const streamed = streamEvents(http.flows, principal, filter, after, ending.signal)
      const text = asText(streamed, () => reason)
      const stream = Readable.from(text, { objectMode: false, highWaterMark: 65_536 })
      open.set(end, principal)
      const lifeMs = principal.expiresAt.getTime() - http.flows.clock.now().getTime()
      const expiry = setTimeout(() => end('token expired'), Math.min(lifeMs, longestTimerMs))
      // Not the stream's own end: that waits until the generator is asked again.
      reply.raw.once('close', () => {
        clearTimeout(expiry)
        clearTimeout(cut)
        open.delete(end)
        ending.abort()
      })
      if (isClosing) end('shutting down')
      // Proxies that collect a reply before they pass it on would hold events back. The connection ends with the stream:
      // one that is kept for a next request would hold up the end of the process.
      void reply.type('text/event-stream; charset=utf-8').headers({ 'x-accel-buffering': 'no', connection: 'close' })
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
async function* asText(
  streamed: AsyncIterable<Streamed>,
  endReason: () => EndReason | undefined,
): AsyncGenerator<string> {
  yield `retry: ${retryMs}\n\n`
  for await (const item of streamed) {
    const id = `id: ${writePosition(item.position)}\n`
    if (item.kind === 'quiet') yield `: quiet\n${id}\n`
    else yield `${id}event: ${item.event.event_type}\ndata: ${JSON.stringify(item.event)}\n\n`
  }
  const reason = endReason()
  if (reason !== undefined) yield `: ${reason}\n\n`
}
