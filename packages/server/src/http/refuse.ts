import type { FastifyReply, FastifyRequest } from 'fastify'
import { sendError, type ErrorAnswer } from './errors.ts'
import { isPageRequest, isTopLevelNavigation } from './navigation.ts'
import { errorPage } from './pages/error-page.ts'
import { languageOf, sendPage } from './pages/page.ts'

/**
 * Sends what went wrong: as a page to a person whose browser navigates, and in the contract's words to everybody else.
 *
 * `Accept` alone does not say that somebody looks; programs send it as well.
 */
export function refuse(request: FastifyRequest, reply: FastifyReply, answer: ErrorAnswer): FastifyReply {
  if (!isTopLevelNavigation(request) || !isPageRequest(request)) return sendError(request, reply, answer)
  const page = errorPage(languageOf(request), answer, request.url.startsWith('/v1/'))
  return sendPage(reply.headers(answer.headers), answer.status, page)
}
