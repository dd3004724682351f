import type { FastifyRequest } from 'fastify'
import { Problem } from '../core/problem.ts'
import { prefersHtml } from './accept.ts'

/** Whether a person's browser asks for a page. */
export function isPageRequest(request: FastifyRequest): boolean {
  return prefersHtml(request.headers.accept)
}

/** Whether this is a modern browser loading a page of its own; such a browser also keeps cookies. */
export function isTopLevelNavigation(request: FastifyRequest): boolean {
  return header(request, 'sec-fetch-mode') === 'navigate' && header(request, 'sec-fetch-dest') === 'document'
}

/** Throws 503 for prefetches and prerenders, which must use nothing up. */
export function refusePrefetch(request: FastifyRequest): void {
  const purpose = header(request, 'sec-purpose') ?? header(request, 'purpose') ?? header(request, 'x-moz')
  if (purpose?.includes('prefetch') || purpose?.includes('prerender')) {
    throw new Problem('prefetch_refused', { retryAfterSeconds: 1 })
  }
}

/** Throws 403 when a browser says that this is a frame, an image or a script's request, not a page of its own. */
export function requireTopLevel(request: FastifyRequest): void {
  // Only browsers say what the answer is for; a `fetch` of a server says at most its mode.
  const destination = header(request, 'sec-fetch-dest')
  if (destination !== undefined && destination !== 'document') throw new Problem('not_a_navigation')
}

/** Throws 403 when another site sent a browser here with the platform's cookie: the click was not the user's on the platform. */
export function requireSameSite(request: FastifyRequest): void {
  if (header(request, 'sec-fetch-site') === 'cross-site') throw new Problem('not_a_navigation')
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return (Array.isArray(value) ? value[0] : value)?.toLowerCase()
}
