import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { AuthorizeQuery, ProviderParams } from '@connector-oauth/contract/oauth.ts'
import { collectionId, connectorId, providerSlug, spaceId } from '../../core/ids.ts'
import { Secret } from '../../core/secret.ts'
import { authorize, identifyCaller } from '../../domain/authorize.ts'
import { readNavigator } from '../authenticate.ts'
import { bindBrowser } from '../browser-binding.ts'
import { toAnswer } from '../errors.ts'
import { textParameters, urlLength, type HttpContext } from '../http-context.ts'
import { isPageRequest, isTopLevelNavigation, refusePrefetch, requireSameSite, requireTopLevel } from '../navigation.ts'
import { sendOutcome } from '../outcome.ts'
import { redirectPopup } from '../popup-redirect.ts'
import { refuseRepeats } from '../route.ts'
import { requestValidator } from '../validate.ts'
import { navigationSchema } from './navigation-schema.ts'

/**
 * `GET /v1/connectors/oauth/{provider_slug}/authorize`
 *
 * Opened in a popup; proven by bearer, cookie or ticket, and without side effect before that (RFC 6750 §3).
 */
export function authorizeRoute(app: FastifyInstance, http: HttpContext): void {
  const validate = requestValidator({ params: ProviderParams, query: AuthorizeQuery })
  const url = '/v1/connectors/oauth/:provider_slug/authorize'
  // Link scanners and previews ask with HEAD: nothing is used up.
  app.head(url, { schema: { hide: true } }, async (_request, reply) => reply.code(204).send())
  app.get(
    url,
    {
      schema: navigationSchema({
        summary: 'Start the OAuth authorization flow',
        description:
          'Open it in a popup. Proven by the bearer token, by the platform’s cookie (AUTH_COOKIE), or by a ticket of a session in `token`.',
        params: ProviderParams,
        query: AuthorizeQuery,
        answers: { 303: { description: 'To the provider’s consent page', type: 'null' } },
      }),
      config: { keepsOpener: true },
      exposeHeadRoute: false,
    },
    async (request, reply) => {
      try {
        return await redirectPopup(reply, await depart(http, validate, request, reply))
      } catch (error) {
        if (!isPageRequest(request)) throw error
        const answer = toAnswer(error, request.id, request.headers.authorization !== undefined)
        return sendOutcome(reply, answer, undefined)
      }
    },
  )
}

type Validate = (raw: {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly headers: unknown
  readonly urlLength: number
}) => { readonly params: Static<typeof ProviderParams>; readonly query: AuthorizeQuery }

async function depart(
  http: HttpContext,
  validate: Validate,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<string> {
  await http.limits.checkAddress(request)
  const navigator = await readNavigator(request, http.verify, http.authCookie)
  const token = textParameters(request.query)['token']
  const caller = await identifyCaller(http.flows, navigator.principal, token)
  if (navigator.principal !== undefined) await http.limits.check(request, navigator.principal)
  refusePrefetch(request)
  refuseRepeats(request.query)
  const { params, query } = request
  const parts = validate({ params, query, body: undefined, headers: {}, urlLength: urlLength(request) })
  if (navigator.by !== 'bearer') requireTopLevel(request)
  if (navigator.by === 'cookie' && caller.ticket === undefined) requireSameSite(request)
  // Only a browser that is here on the public address keeps a cookie that the callback will see.
  const isPublicHost = request.host === new URL(http.flows.settings.publicUrl).host
  const binds = navigator.by !== 'bearer' && isPublicHost && isTopLevelNavigation(request)
  const departure = await authorize(
    http.flows,
    caller,
    toRequest(parts.params.provider_slug, parts.query),
    binds ? 'binds-browser' : 'any-browser',
  )
  if (departure.browserBinding !== undefined) {
    bindBrowser(request, reply, departure.transactionId, departure.browserBinding, http.flows.clock.now())
  }
  return departure.location
}

function toRequest(slug: string, query: AuthorizeQuery) {
  return {
    providerSlug: providerSlug(slug),
    spaceId: spaceId(query.space_id),
    collectionId: collectionId(query.collection_id),
    redirectUri: query.redirect_uri,
    connectorId: query.connector_id === undefined ? undefined : connectorId(query.connector_id),
    token: query.token === undefined ? undefined : new Secret(query.token),
    tenantId: query.tenant_id,
  }
}
