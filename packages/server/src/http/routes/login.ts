import type { FastifyInstance } from 'fastify'
import { LoginBody } from '@connector-oauth/contract/events.ts'
import { plusMs } from '../../core/clock.ts'
import { Problem } from '../../core/problem.ts'
import { redeemLoginLink } from '../../domain/login-link.ts'
import type { HttpContext } from '../http-context.ts'
import { requestValidator } from '../validate.ts'

const tokenLifeMs = 8 * 60 * 60_000

/**
 * `POST /v1/login`
 *
 * Trades the code of a one-time sign-in link for a bearer token; the page keeps it, and no cookie is set.
 */
export function loginRoute(app: FastifyInstance, http: HttpContext): void {
  const validate = requestValidator({ body: LoginBody })
  app.post('/v1/login', { schema: { hide: true } }, async (request, reply) => {
    await http.limits.checkAddress(request)
    if (http.signToken === undefined) throw new Problem('not_found')
    const { body } = validate({ params: {}, query: {}, body: request.body, headers: {}, urlLength: 0 })
    const link = await redeemLoginLink(http.flows, body.login_code)
    const expiresAt = plusMs(http.flows.clock.now(), tokenLifeMs)
    const { subject, tenantId, scope } = link
    const token = await http.signToken({ subject, tenantId, scope, expiresAt })
    return reply.send({
      data: { access_token: token, expires_at: expiresAt.toISOString(), tenant_id: tenantId },
    })
  })
}
