import type { FastifyInstance } from 'fastify'
import { transactionId } from '../../core/ids.ts'
import { readFinishedPage } from '../../domain/finished-page.ts'
import { textParameters, type HttpContext } from '../http-context.ts'
import { outcomePage, type Outcome } from '../pages/outcome-page.ts'
import { sendPage } from '../pages/page.ts'

/**
 * `GET /v1/connectors/oauth/finished/{session_id}`
 *
 * Where a popup without a landing page ends: a clean address, so that the code leaves the browser's history. The completion
 * code stands in the fragment, which no server sees.
 */
export function finishedRoute(app: FastifyInstance, http: HttpContext): void {
  app.get('/v1/connectors/oauth/finished/:session_id', { schema: { hide: true } }, async (request, reply) => {
    const id = textParameters(request.params)['session_id'] ?? ''
    const isId = /^[A-Za-z0-9_-]{1,64}$/.test(id)
    const audience = isId ? await readFinishedPage(http.flows, transactionId(id)) : undefined
    return sendPage(reply, audience === undefined ? 404 : 200, outcomePage(wording(audience)))
  })
}

function wording(audience: { readonly sessionId: string; readonly origin: string | undefined } | undefined): Outcome {
  if (audience === undefined) {
    const sentence = 'This connection is not known here, or it ended a while ago. Go back to the app and start again.'
    return { kind: 'failed', title: 'Nothing to finish here', sentence, details: { code: 'session_unknown' }, audience }
  }
  if (audience.origin === undefined) {
    const sentence =
      'Your consent was given, but the app cannot be told of it, so nothing is connected yet. Please tell the people who run the app, and show them the details below.'
    const hint = 'The connection was started without an origin and without a landing page; start it with one of them.'
    return {
      kind: 'awaiting_completion',
      title: 'Almost connected',
      sentence,
      details: { code: 'no_origin', text: hint },
      audience,
    }
  }
  const sentence =
    'The app is finishing the connection. This window closes by itself; if it stays, close it and go back.'
  return { kind: 'awaiting_completion', title: 'Almost connected', sentence, audience }
}
