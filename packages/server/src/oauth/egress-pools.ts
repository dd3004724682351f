import { Pool, type Dispatcher, type buildConnector } from 'undici'
import { StreamError } from './egress-error.ts'

/** Whose connections a stream uses. One that hangs fills its own bulkhead and no other. */
export interface Bulkhead {
  /** The context: connections are shared within it alone. */
  readonly key: string
  /** The tenant, which may have many contexts. */
  readonly tenant: string
}

/** A place in a pool; `release` gives it back, once. */
export interface PoolPlace {
  readonly dispatcher: Dispatcher
  release(): void
}

export interface EgressPools {
  /** Throws `StreamError` `busy` when the context, the tenant or the process has its fill. */
  enter(origin: string, bulkhead: Bulkhead): PoolPlace
  /** Ends idle connections after the streams in flight. */
  close(): Promise<void>
}

/** Per process. A caller beyond them is told to come back, instead of waiting in memory. */
export const poolLimits = {
  /** Of one context: what providers and their load balancers stand from one client without complaint. */
  connections: 64,
  /** Streams of one context under way or waiting for a connection. */
  perPool: 256,
  perTenant: 512,
  /** Of all: each may hold two sockets and some buffers. */
  perProcess: 4_096,
  /** Contexts with connections; idle ones make room. */
  pools: 512,
  /** Of one tenant, who may name any number of providers. */
  poolsPerTenant: 32,
}

interface OpenPool {
  readonly pool: Pool
  /** Whose call opened it. */
  readonly tenant: string
  underWay: number
}

/** Keep-alive pools over HTTP/1.1, one for each context and origin, with the given guarded way to connect. */
export function createPools(connect: buildConnector.connector, limits: Partial<typeof poolLimits> = {}): EgressPools {
  const most = { ...poolLimits, ...limits }
  const pools = new Map<string, OpenPool>()
  const perTenant = new Map<string, number>()
  let underWay = 0

  function poolOf(origin: string, { key, tenant }: Bulkhead): OpenPool {
    const name = `${key} ${origin}`
    const known = pools.get(name)
    // The map's order is that of the last use.
    if (known !== undefined) pools.delete(name)
    else makeRoom(tenant)
    const open = known ?? {
      pool: new Pool(origin, { ...poolOptions, connections: most.connections, connect }),
      tenant,
      underWay: 0,
    }
    pools.set(name, open)
    return open
  }

  /** A tenant's new pools take the place of its own idle ones, and of others' only where it has none. */
  function makeRoom(tenant: string): void {
    const own = [...pools].filter(([, open]) => open.tenant === tenant)
    if (own.length >= most.poolsPerTenant) closeIdle(own)
    else if (pools.size >= most.pools) closeIdle([...own, ...pools])
  }

  function closeIdle(candidates: readonly (readonly [name: string, open: OpenPool])[]): void {
    const idle = candidates.find(([, open]) => open.underWay === 0)
    if (idle === undefined) throw busy()
    pools.delete(idle[0])
    void idle[1].pool.close()
  }

  return {
    enter(origin, bulkhead) {
      const { tenant } = bulkhead
      const ofTenant = perTenant.get(tenant) ?? 0
      if (underWay >= most.perProcess || ofTenant >= most.perTenant) throw busy()
      const open = poolOf(origin, bulkhead)
      if (open.underWay >= most.perPool) throw busy()
      open.underWay += 1
      underWay += 1
      perTenant.set(tenant, ofTenant + 1)
      let isReleased = false
      return {
        dispatcher: open.pool,
        release() {
          if (isReleased) return
          isReleased = true
          open.underWay -= 1
          underWay -= 1
          const left = (perTenant.get(tenant) ?? 1) - 1
          if (left === 0) perTenant.delete(tenant)
          else perTenant.set(tenant, left)
        },
      }
    },
    async close() {
      await Promise.all([...pools.values()].map((open) => open.pool.close()))
    },
  }
}

const poolOptions = {
  allowH2: false,
  pipelining: 1,
  keepAliveTimeout: 10_000,
  keepAliveMaxTimeout: 60_000,
  maxHeaderSize: 32_768,
  // The stream's own deadlines are exact and cover everything.
  headersTimeout: 0,
} as const

function busy(): StreamError {
  return new StreamError('busy', 'too many calls are under way', false)
}
