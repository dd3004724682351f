import { plusMs, type Clock } from '../core/clock.ts'
import type { TenantId } from '../core/ids.ts'

/** How often one data key sealed since it was last written down. */
export interface EncryptionCount {
  readonly tenantId: TenantId
  readonly epoch: number
  readonly count: number
}

const writtenEveryMs = 30_000
const mostUnwritten = 10_000

/**
 * Counts what each data key seals (NIST SP 800-38D §8.3). In memory, written in batches beside the work: a process that
 * is killed forgets at most 10,000 of them, or what half a minute brought.
 */
export function encryptionCounts(clock: Clock, write: (counts: readonly EncryptionCount[]) => Promise<void>) {
  let unwritten = new Map<string, { readonly tenantId: TenantId; readonly epoch: number; count: number }>()
  let total = 0
  let writtenAt = clock.now()
  let underWay: Promise<void> | undefined

  const add = (tenantId: TenantId, epoch: number, more: number): void => {
    const name = `${tenantId}\n${epoch}`
    const known = unwritten.get(name)
    if (known === undefined) unwritten.set(name, { tenantId, epoch, count: more })
    else known.count += more
    total += more
  }

  const writeAll = async (): Promise<void> => {
    const counts = [...unwritten.values()]
    unwritten = new Map()
    total = 0
    writtenAt = clock.now()
    try {
      if (counts.length > 0) await write(counts)
    } catch {
      // Nobody's request depends on it; the next batch takes these along.
      for (const { tenantId, epoch, count } of counts) add(tenantId, epoch, count)
    }
  }

  const flush = async (): Promise<void> => {
    await underWay
    underWay = writeAll()
    await underWay
    underWay = undefined
  }

  return {
    count(tenantId: TenantId, epoch: number): void {
      add(tenantId, epoch, 1)
      const isDue = total >= mostUnwritten || clock.now() >= plusMs(writtenAt, writtenEveryMs)
      if (isDue && underWay === undefined) void flush()
    },
    flush,
  }
}
