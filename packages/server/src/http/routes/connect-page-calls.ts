import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ConnectStartBody } from '@connector-oauth/contract/connect-sessions.ts'
import { providerSlug } from '../../core/ids.ts'
import { cancelConnect, openConnectSession, principalOf, startConnectAttempt } from '../../domain/connect-page.ts'
import { viewConnectPage } from '../../domain/connect-page-view.ts'
import { bearerToken } from '../authenticate.ts'
import type { PageView } from '../connect-page/page-types.ts'
import { urlLength, type HttpContext } from '../http-context.ts'
import { requestValidator } from '../validate.ts'

const current = '/v1/connect-sessions/current'

/**
 * What the hosted page asks with its connect token, which stands in the Authorization header and in no address.
 *
 * Reading uses nothing up, so link scanners that run the page do no harm; only the user's click starts an attempt.
 */
export function connectPageCalls(app: FastifyInstance, http: HttpContext): void {
  const validateStart = requestValidator({ body: ConnectStartBody })
  const open = async (request: FastifyRequest) => {
    await http.limits.checkAddress(request)
    const session = await openConnectSession(http.flows, bearerToken(request))
    await http.limits.check(request, principalOf(session))
    return session
  }

  app.get(current, { schema: { hide: true }, exposeHeadRoute: false }, async (request, reply): Promise<FastifyReply> =>
    reply.send({ data: (await viewConnectPage(http.flows, await open(request))) satisfies PageView }),
  )

  app.post(`${current}/start`, { schema: { hide: true } }, async (request, reply): Promise<FastifyReply> => {
    const session = await open(request)
    const raw = { params: {}, query: {}, body: request.body, headers: {}, urlLength: urlLength(request) }
    const { body } = validateStart(raw)
    const attempt = await startConnectAttempt(http.flows, session, {
      providerSlug: providerSlug(body.provider_slug),
      urlVariables: body.url_variables,
    })
    const expiresAt = attempt.expiresAt.toISOString()
    return reply.code(201).send({
      data: { session_id: attempt.sessionId, authorize_url: attempt.authorizeUrl, expires_at: expiresAt },
    })
  })

  app.post(`${current}/cancel`, { schema: { hide: true } }, async (request, reply): Promise<FastifyReply> => {
    await cancelConnect(http.flows, await open(request))
    return reply.code(204).send()
  })
}
