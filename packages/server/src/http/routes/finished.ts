import type { FastifyInstance } from 'fastify'
import { transactionId } from '../../core/ids.ts'
import { readFinishedPage } from '../../domain/finished-page.ts'
import { textParameters, type HttpContext } from '../http-context.ts'
import { outcomePage, type Outcome } from '../pages/outcome-page.ts'
import { languageOf, sendPage } from '../pages/page.ts'
import { failureWords } from '../words/failure-words.ts'
import type { Language } from '../words/languages.ts'

/**
 * `GET /v1/connectors/oauth/finished/{session_id}`
 *
 * Where a popup without a landing page ends: a clean address, so that the code leaves the browser's history. The completion
 * code stands in the fragment, which no server sees.
 */
export function finishedRoute(app: FastifyInstance, http: HttpContext): void {
  app.get(
    '/v1/connectors/oauth/finished/:session_id',
    { schema: { hide: true }, config: { keepsOpener: true } },
    async (request, reply) => {
      const id = textParameters(request.params)['session_id'] ?? ''
      const isId = /^[A-Za-z0-9_-]{1,64}$/.test(id)
      const audience = isId ? await readFinishedPage(http.flows, transactionId(id)) : undefined
      return sendPage(reply, audience === undefined ? 404 : 200, outcomePage(wording(languageOf(request), audience)))
    },
  )
}

function wording(
  language: Language,
  audience: { readonly sessionId: string; readonly origin: string | undefined } | undefined,
): Outcome {
  const { words } = language
  if (audience === undefined) {
    const unknown = failureWords(words, 'session_unknown')
    return { kind: 'failed', language, ...unknown, details: { code: 'session_unknown' }, audience }
  }
  if (audience.origin === undefined) {
    const text = 'The connection was started without an origin and without a landing page; start it with one of them.'
    const untold = failureWords(words, 'no_origin')
    return { kind: 'awaiting_completion', language, ...untold, details: { code: 'no_origin', text }, audience }
  }
  const [title, sentence] = [words['almost.title'], words['almost.text']]
  return { kind: 'awaiting_completion', language, title, sentence, audience }
}
