import type { FastifyInstance, FastifyRequest } from 'fastify'
import rateLimit from '@fastify/rate-limit'
import { Problem } from '../core/problem.ts'
import type { Principal } from '../domain/principal.ts'

/** Whose requests are counted together: a principal, or a lease. */
type Counted = Pick<Principal, 'tenantId' | 'issuer' | 'subject'>

/** This service's own request limits, per minute and process. */
export interface Limits {
  /** Counts a request against its principal and tenant. Throws 429. */
  check(request: FastifyRequest, principal: Counted): Promise<void>
  /** Counts a request against its address, before anybody is known. Throws 429. */
  checkAddress(request: FastifyRequest): Promise<void>
  /** Counts a callback with an invalid state against its address. Throws 429. */
  countInvalidState(request: FastifyRequest): Promise<void>
}

const perMinute = { address: 12_000, principal: 6_000, tenant: 30_000, invalidState: 60 }

/** Without limits, for benchmarks and tests. */
export const noLimits: Limits = {
  check: async () => {},
  checkAddress: async () => {},
  countInvalidState: async () => {},
}

export async function createLimits(app: FastifyInstance): Promise<Limits> {
  await app.register(rateLimit, { global: false })
  const principals = new WeakMap<FastifyRequest, Counted>()
  const limiter = (name: keyof typeof perMinute, key: (request: FastifyRequest) => string) => {
    const count = app.createRateLimit({
      max: perMinute[name],
      timeWindow: 60_000,
      keyGenerator: (request) => `${name} ${key(request)}`,
    })
    return async (request: FastifyRequest) => {
      const result = await count(request)
      if (!result.isAllowed && result.isExceeded) {
        throw new Problem('rate_limited', { retryAfterSeconds: result.ttlInSeconds })
      }
    }
  }
  const ofPrincipal = (request: FastifyRequest) => {
    const principal = principals.get(request)
    return JSON.stringify([principal?.tenantId, principal?.issuer, principal?.subject])
  }
  const byAddress = limiter('address', (request) => request.ip)
  const byPrincipal = limiter('principal', ofPrincipal)
  const byTenant = limiter('tenant', (request) => principals.get(request)?.tenantId ?? '')
  const byInvalidState = limiter('invalidState', (request) => request.ip)
  return {
    checkAddress: byAddress,
    countInvalidState: byInvalidState,
    async check(request, principal) {
      principals.set(request, principal)
      await byPrincipal(request)
      await byTenant(request)
    },
  }
}
