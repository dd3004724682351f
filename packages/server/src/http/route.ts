import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import { ErrorBody, ValidationErrorBody } from '@connector-oauth/contract/common.ts'
import { Problem } from '../core/problem.ts'
import type { Principal } from '../domain/principal.ts'
import { requirePrincipal } from './authenticate.ts'
import type { BearerVerifier } from './bearer-verifier.ts'
import type { Limits } from './limits.ts'
import { requestValidator, type Parts, type RequestSchemas } from './validate.ts'

/** What an API route says of itself; validation, types and OpenAPI come from it. */
export interface ApiRoute<P extends TSchema, Q extends TSchema, B extends TSchema, H extends TSchema> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly tag: string
  readonly summary: string
  readonly schemas: RequestSchemas<P, Q, B, H>
  readonly status: number
  readonly response: TSchema
  /** Media types of the answer; JSON unless said otherwise. */
  readonly produces?: readonly string[]
  /** Only where a body may be larger than elsewhere. */
  readonly maxBodyBytes?: number
  handle(input: Parts<P, Q, B, H> & { readonly principal: Principal }, reply: FastifyReply): Promise<unknown>
}

/** Adds a route that a bearer token opens. 401 comes before the body is read, 422 before anything is looked up. */
export function addApiRoute<
  P extends TSchema = TSchema,
  Q extends TSchema = TSchema,
  B extends TSchema = TSchema,
  H extends TSchema = TSchema,
>(
  app: FastifyInstance,
  auth: { readonly verify: BearerVerifier; readonly limits: Limits },
  route: ApiRoute<P, Q, B, H>,
): void {
  const validate = requestValidator(route.schemas)
  const principals = new WeakMap<FastifyRequest, Principal>()
  app.route({
    method: route.method,
    url: route.url,
    exposeHeadRoute: false,
    ...(route.maxBodyBytes !== undefined && { bodyLimit: route.maxBodyBytes }),
    schema: openApiSchema(route),
    onRequest: async (request) => {
      await auth.limits.checkAddress(request)
      const principal = await requirePrincipal(request, auth.verify)
      await auth.limits.check(request, principal)
      principals.set(request, principal)
    },
    handler: async (request, reply) => {
      refuseRepeats(request.query)
      const principal = principals.get(request)
      if (principal === undefined) throw new Problem('unauthorized')
      const { params, query, body, headers, raw } = request
      const parts = validate({ params, query, body, headers, urlLength: (raw.url ?? '').length })
      const answer = await route.handle({ ...parts, principal }, reply)
      return reply.code(route.status).send(answer)
    },
  })
}

/** Throws 400 for a parameter that came twice or as an array: which of them would count? (RFC 6749 §3.1) */
export function refuseRepeats(parameters: unknown): void {
  if (typeof parameters !== 'object' || parameters === null) return
  for (const [name, value] of Object.entries(parameters)) {
    if (Array.isArray(value) || name.includes('[')) throw new Problem('repeated_parameter')
  }
}

/** What the reference page shows of a route. */
function openApiSchema(route: {
  readonly tag: string
  readonly summary: string
  readonly schemas: RequestSchemas<TSchema, TSchema, TSchema, TSchema>
  readonly status: number
  readonly response: TSchema
  readonly produces?: readonly string[]
}): object {
  const { params, query, body, headers } = route.schemas
  const { summary, response, produces } = route
  // Not Fastify's `produces`: that would say the same of the errors, which are JSON.
  const content = produces?.map((type) => [type, { schema: response }] as const)
  return {
    tags: [route.tag],
    summary,
    security: [{ bearer: [] }],
    ...(params && { params }),
    ...(query && { querystring: query }),
    ...(body && { body }),
    ...(headers && { headers }),
    response: {
      [route.status]: content === undefined ? response : { description: summary, content: Object.fromEntries(content) },
      422: ValidationErrorBody,
      default: ErrorBody,
    },
  }
}
