import { Problem, type ProblemCode } from '../core/problem.ts'
import { findEnded, type CallGrounds } from '../store/open-calls.ts'
import type { Context } from './context.ts'

/** A call through the proxy that is under way in this process. */
export interface OpenCall extends CallGrounds {
  /** When the bearer or the lease ends that it was made with. */
  readonly endsAt: Date
  /** Breaks it off; a caller who was told nothing yet is told this. */
  abort(reason: Problem): void
}

/**
 * The calls under way, so that none outlives what allowed it: a stream may go on for an hour after its connector was disconnected.
 *
 * What ends in this process ends its calls at once. One look at the database now and then finds what others ended, for all calls
 * that last.
 */
export interface OpenCalls {
  /** Answers how to take it off again. Throws 503 `provider_busy` when its tenant or the process has its fill. */
  add(call: OpenCall): () => void
  /** Ends a connector's calls, or those of one of its leases. */
  end(grounds: CallGrounds): void
  /** Ends every call that may not go on. Never rejects: a database that is away ends nothing. */
  check(): Promise<void>
}

const checkEveryMs = 20_000
const openLimits = { perTenant: 512, perProcess: 4_096 }

export function createOpenCalls(context: Pick<Context, 'database' | 'clock'>): OpenCalls {
  const calls = new Set<OpenCall>()
  const perTenant = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined

  async function check(): Promise<void> {
    const now = context.clock.now()
    const open = [...calls]
    if (open.length === 0) return
    for (const call of open) if (call.endsAt <= now) call.abort(endOf(call, 'token_expired'))
    const ended = await findEnded(context.database.system, open).catch(() => [])
    for (const index of ended) {
      const call = open[index]
      call?.abort(endOf(call, 'connector_disconnected'))
    }
  }

  /** Nothing runs while there is nothing to look at. */
  function checkLater(): void {
    if (timer !== undefined || calls.size === 0) return
    timer = setTimeout(() => {
      void check().finally(() => {
        timer = undefined
        checkLater()
      })
    }, checkEveryMs)
    timer.unref()
  }

  return {
    add(call) {
      const ofTenant = perTenant.get(call.tenantId) ?? 0
      if (ofTenant >= openLimits.perTenant || calls.size >= openLimits.perProcess) {
        throw new Problem('provider_busy', { retryAfterSeconds: 1 })
      }
      perTenant.set(call.tenantId, ofTenant + 1)
      calls.add(call)
      checkLater()
      return () => {
        if (!calls.delete(call)) return
        const left = (perTenant.get(call.tenantId) ?? 1) - 1
        if (left === 0) perTenant.delete(call.tenantId)
        else perTenant.set(call.tenantId, left)
      }
    },
    end({ tenantId, connectorId, leaseId }) {
      for (const call of calls) {
        const isOf = call.tenantId === tenantId && call.connectorId === connectorId
        if (isOf && (leaseId === undefined || call.leaseId === leaseId)) {
          call.abort(endOf(call, 'connector_disconnected'))
        }
      }
    },
    check,
  }
}

function endOf(call: OpenCall, otherwise: ProblemCode): Problem {
  return new Problem(call.leaseId === undefined ? otherwise : 'lease_invalid')
}
