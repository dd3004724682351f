import type { TenantId } from '../core/ids.ts'
import { tenantsToRotate } from '../store/data-key-rotation.ts'
import { insertDataKey } from '../store/data-keys.ts'
import { addEvent } from '../store/events.ts'
import type { RotationOrder } from '../store/key-encryption-keys.ts'
import { makeDataKey } from '../vault/vault.ts'
import type { Context } from './context.ts'

/**
 * NIST SP 800-38D §8.3 allows 2³² encryptions under one key with random nonces. Half of that leaves room for what was
 * not counted yet.
 */
export const mostEncryptions = 2 ** 31

const portion = 50

type Needs = Pick<Context, 'database' | 'clock' | 'keyEncryptionKeys' | 'wakeUp'>

/** A data key that a tenant should get. */
interface Wanted {
  readonly epoch: number
  /** What ordered it; the key is not older. */
  readonly since: Date
  /** Who of the tenant ordered it; absent: the operator, or the count of encryptions. */
  readonly by?: { readonly actorId: string; readonly issuer: string }
}

/**
 * Gives a new data key to each tenant whose newest is older than the order, or has sealed too often; answers how many.
 * What older ones sealed stays readable and is sealed anew in the background.
 */
export async function addDataKeys(
  context: Needs,
  order: RotationOrder | undefined,
  report: (added: number) => void,
  limit: number = mostEncryptions,
): Promise<number> {
  const { system } = context.database
  const since = order?.orderedAt ?? new Date(0)
  let added = 0
  let after = ''
  for (;;) {
    const tenants = await tenantsToRotate(system, since, limit, { after, limit: portion })
    const last = tenants.at(-1)
    if (last === undefined) return added
    after = last.tenantId
    for (const { tenantId, epoch } of tenants) {
      if (await addDataKey(context, tenantId, { epoch: epoch + 1, since })) added += 1
    }
    report(added)
  }
}

/** Adds a tenant's next data key; answers `false` when it has one of that epoch, or the first key-encryption key is retired. */
export async function addDataKey(context: Needs, tenantId: TenantId, { epoch, since, by }: Wanted): Promise<boolean> {
  const now = context.clock.now()
  // Never before the order, even by a clock that is behind: such a key would be followed by another at once.
  const createdAt = now < since ? since : now
  const key = await makeDataKey(context.keyEncryptionKeys, tenantId, { epoch, createdAt })
  return context.database.systemTransaction(async (db) => {
    if (!(await insertDataKey(db, tenantId, key))) return false
    const event = {
      eventType: 'key.rotated',
      actorId: by?.actorId,
      resourceType: 'key',
      resourceId: String(epoch),
      place: undefined,
      metadata: { epoch, key_encryption_key_id: key.keyId, ...(by && { issuer: by.issuer }) },
    } as const
    await addEvent(db, tenantId, event, now)
    await context.wakeUp.wake(db, 'reseal')
    return true
  })
}
