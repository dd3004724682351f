import type { Tracer } from './core/tracer.ts'
import { EgressError, type Egress, type EgressRequest } from './oauth/egress.ts'

/** The guarded client, with a span for each request: method, host and status, and nothing that could carry a secret. */
export function tracedEgress(egress: Egress, tracer: Tracer): Egress {
  const traced = <T>(method: string, url: string, work: (told: (status: number) => void) => Promise<T>): Promise<T> =>
    tracer.step('provider request', { 'http.request.method': method, 'server.address': hostOf(url) }, async (tell) => {
      try {
        return await work((status) => tell({ 'http.response.status_code': status }))
      } catch (error) {
        if (error instanceof EgressError) tell({ 'connector_oauth.failure': error.kind })
        throw error
      }
    })
  return {
    ...egress,
    request: (given: EgressRequest) =>
      traced(given.method, given.url, async (told) => {
        const reply = await egress.request(given)
        told(reply.status)
        return reply
      }),
    fetch: (input, init) => {
      const request = input instanceof Request ? input : undefined
      const url = input instanceof Request ? input.url : String(input)
      return traced(init?.method ?? request?.method ?? 'GET', url, async (told) => {
        const reply = await egress.fetch(input, init)
        told(reply.status)
        return reply
      })
    },
    stream: (request, begin) =>
      traced(request.method, request.url, (told) =>
        egress.stream(request, (head) => {
          told(head.status)
          return begin(head)
        }),
      ),
  }
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? 'none'
}
