import formbody from '@fastify/formbody'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  CallbackQuery,
  ConnectedBody,
  ProviderParams,
  RefusedCallbackQuery,
  RenamedCodeCallbackQuery,
} from '@connector-oauth/contract/oauth.ts'
import { providerSlug } from '../../core/ids.ts'
import { Problem } from '../../core/problem.ts'
import { hasRenamedCode, receiveCallback, type CallbackOutcome } from '../../domain/callback.ts'
import { missingAccess, type MissingAccess } from '../../domain/missing-access.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Connected } from '../../domain/store-connection.ts'
import { readNavigator } from '../authenticate.ts'
import { readBindings, unbindBrowser } from '../browser-binding.ts'
import { toAnswer } from '../errors.ts'
import { textParameters, urlLength, type HttpContext } from '../http-context.ts'
import { isPageRequest, refusePrefetch } from '../navigation.ts'
import { sendOutcome } from '../outcome.ts'
import { outcomePage, type Outcome } from '../pages/outcome-page.ts'
import { languageOf, sendPage } from '../pages/page.ts'
import { relayPage } from '../pages/relay-page.ts'
import { redirectPopup } from '../popup-redirect.ts'
import { refuseRepeats } from '../route.ts'
import { requestValidator } from '../validate.ts'
import type { Language } from '../words/languages.ts'
import { navigationSchema } from './navigation-schema.ts'

const url = '/v1/connectors/oauth/:provider_slug/callback'

/**
 * `GET /v1/connectors/oauth/{provider_slug}/callback`, and `POST` for providers that answer by form post
 *
 * With the starter's proof the code is exchanged now; a browser without it parks the code; anything else is a 401 that
 * consumes nothing.
 */
export async function callbackRoutes(app: FastifyInstance, http: HttpContext): Promise<void> {
  await app.register(formbody)
  const validate = callbackValidator(http)
  app.head(url, { schema: { hide: true } }, async (_request, reply) => reply.code(204).send())
  app.get(
    url,
    {
      schema: navigationSchema({
        summary: 'Take the provider’s answer',
        description:
          'With the starter’s bearer token or cookie the connection is made now. A browser without either is sent on with a completion code, and nothing is exchanged until the starter completes.',
        params: ProviderParams,
        query: CallbackQuery,
        answers: { 200: ConnectedBody, 303: { description: 'To the landing page or the closing page', type: 'null' } },
      }),
      config: { keepsOpener: true },
      exposeHeadRoute: false,
    },
    (request, reply) => answer(http, request, reply, 'GET', request.query),
  )
  app.post(url, { schema: { hide: true }, config: { keepsOpener: true } }, async (request, reply) => {
    const { relayed, ...fields } = textParameters(request.body)
    // The provider's post is cross-site and carries no cookie; the same post from this page does.
    const isFirst = relayed === undefined && request.headers.authorization === undefined && isPageRequest(request)
    if (isFirst) return sendPage(reply, 200, relayPage(languageOf(request), fields))
    refuseRepeats(request.body)
    return answer(http, request, reply, 'POST', fields)
  })

  async function answer(
    context: HttpContext,
    request: FastifyRequest,
    reply: FastifyReply,
    method: 'GET' | 'POST',
    given: unknown,
  ): Promise<FastifyReply> {
    const wantsPage = isPageRequest(request)
    try {
      await context.limits.checkAddress(request)
      const { principal } = await readNavigator(request, context.verify, context.authCookie)
      if (principal === undefined && !wantsPage) throw new Problem('unauthorized')
      refusePrefetch(request)
      refuseRepeats(given)
      const slug = validate(request, given)
      const parameters = textParameters(given)
      const browserBindings = readBindings(request)
      const outcome = await receiveCallback(context.flows, principal, {
        providerSlug: slug,
        method,
        parameters,
        browserBindings,
      })
      return await sendCallbackOutcome(context, request, reply, outcome, wantsPage ? { principal } : undefined)
    } catch (error) {
      if (error instanceof Problem && error.code === 'invalid_state') await context.limits.countInvalidState(request)
      if (!wantsPage) throw error
      return sendOutcome(reply, toAnswer(error, request.id, request.headers.authorization !== undefined), undefined)
    }
  }
}

function callbackValidator(
  http: HttpContext,
): (request: FastifyRequest, given: unknown) => ReturnType<typeof providerSlug> {
  const withCode = requestValidator({ params: ProviderParams, query: CallbackQuery })
  const refused = requestValidator({ params: ProviderParams, query: RefusedCallbackQuery })
  const renamed = requestValidator({ params: ProviderParams, query: RenamedCodeCallbackQuery })
  return (request, given) => {
    const parameters = textParameters(given)
    const slug = providerSlug(textParameters(request.params)['provider_slug'] ?? '')
    const isRefusal = parameters['error'] !== undefined
    const isRenamed = hasRenamedCode(http.flows, slug, parameters)
    const validate = isRefusal ? refused : isRenamed ? renamed : withCode
    validate({ params: request.params, query: given, body: undefined, headers: {}, urlLength: urlLength(request) })
    return slug
  }
}

async function sendCallbackOutcome(
  http: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  outcome: CallbackOutcome,
  page: { readonly principal: Principal | undefined } | undefined,
): Promise<FastifyReply> {
  const { audience, landingUri } = outcome
  const fragment = (status: string, more: Readonly<Record<string, string>> = {}): string => {
    // The transaction's own: the path was held against it.
    const provider = textParameters(request.params)['provider_slug'] ?? ''
    const connectSession: Record<string, string> = audience.connectSession
      ? { connect_session_id: audience.connectSession.id }
      : {}
    const told = { session_id: audience.sessionId, ...connectSession, provider, status, ...more }
    return new URLSearchParams(told).toString()
  }
  const { publicUrl } = http.flows.settings
  const connectPage = audience.connectSession && `${publicUrl}/connect/${audience.connectSession.id}`
  if (outcome.kind === 'failed') {
    if (page === undefined) throw outcome.problem
    // The page reads what became of it with its own token, and offers to try again.
    if (connectPage !== undefined) return redirectPopup(reply, `${connectPage}#${fragment('failed')}`)
    const backTo = landingUri && `${landingUri}#${fragment('failed')}`
    return sendOutcome(reply, toAnswer(outcome.problem, request.id, false), audience, backTo)
  }
  unbindBrowser(request, reply, audience.sessionId)
  if (outcome.kind === 'parked') {
    const target = landingUri ?? connectPage ?? `${publicUrl}/v1/connectors/oauth/finished/${audience.sessionId}`
    const code = { completion_code: outcome.completionCode.reveal() }
    return redirectPopup(reply, `${target}#${fragment('awaiting_completion', code)}`)
  }
  const body = connectedBody(outcome.connected)
  if (page === undefined) return reply.code(200).send(body)
  const end = landingUri ?? connectPage
  if (end !== undefined) return redirectPopup(reply, `${end}#${fragment('connected')}`)
  const missing = page.principal && (await missingAccess(http.flows, page.principal.tenantId, outcome.connected))
  return sendPage(reply, 200, outcomePage({ kind: 'connected', audience, ...wording(languageOf(request), missing) }))
}

function wording(language: Language, missing: MissingAccess | undefined): Omit<Outcome, 'kind' | 'audience'> {
  const { words } = language
  if (missing === undefined) return { language, title: words['connected.title'], sentence: words['connected.text'] }
  const title = words['partial.title'].replace('{provider}', () => missing.providerName)
  return { language, title, sentence: words['partial.text'], missing }
}

/** The seed's own success body. */
export function connectedBody(connected: Connected): ConnectedBody {
  return {
    message: 'OAuth connection established successfully',
    provider: connected.provider,
    collection_id: connected.collectionId,
    connector_id: connected.connectorId,
  }
}
