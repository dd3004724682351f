import type { FastifyInstance } from 'fastify'
import { KeyRotation, Keys } from '@connector-oauth/contract/keys.ts'
import { readKeys, rotateKeysOfTenant } from '../../domain/tenant-keys.ts'
import type { HttpContext } from '../http-context.ts'
import { addApiRoute } from '../route.ts'

const tag = 'Keys'

/** The keys that seal a tenant's secrets; never the keys themselves. */
export function keyRoutes(app: FastifyInstance, http: HttpContext): void {
  addApiRoute(app, http, {
    method: 'GET',
    url: '/v1/admin/keys',
    tag,
    summary: 'Read which keys seal the tenant’s secrets',
    schemas: {},
    status: 200,
    response: Keys,
    async handle({ principal }) {
      return { data: await readKeys(http.flows, principal) }
    },
  })

  /** The answer comes before the work: what older keys sealed is sealed anew in the background. */
  addApiRoute(app, http, {
    method: 'POST',
    url: '/v1/admin/keys/rotate',
    tag,
    summary: 'Give the tenant a new data key',
    schemas: {},
    status: 202,
    response: KeyRotation,
    async handle({ principal }) {
      return { data: await rotateKeysOfTenant(http.flows, principal) }
    },
  })
}
