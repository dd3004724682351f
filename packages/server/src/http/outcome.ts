import type { FastifyReply } from 'fastify'
import { codeToQuote, type ErrorAnswer } from './errors.ts'
import { outcomePage, type Outcome } from './pages/outcome-page.ts'
import { languageOf, sendPage } from './pages/page.ts'
import { failureWords } from './words/failure-words.ts'

/**
 * Sends a failed navigation as a page. A server's fault shows the id to quote. `backTo` is where the user came from, for
 * a tab that was not opened for this.
 */
export function sendOutcome(
  reply: FastifyReply,
  answer: ErrorAnswer,
  audience: Outcome['audience'],
  backTo?: string,
): FastifyReply {
  const language = languageOf(reply.request)
  void reply.headers(answer.headers)
  return sendPage(
    reply,
    answer.status,
    outcomePage({
      kind: 'failed',
      language,
      ...failureWords(language.words, answer.code),
      details: { code: codeToQuote(answer), text: answer.detail },
      audience,
      backTo,
    }),
  )
}
