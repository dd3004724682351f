import { plusMs } from '../core/clock.ts'
import { Problem } from '../core/problem.ts'
import { listDataKeys, type StoredDataKey } from '../store/data-keys.ts'
import { addDataKey } from './add-data-keys.ts'
import { requireWholeTenant } from './audit-record.ts'
import type { Context } from './context.ts'
import { requireRight, type Principal } from './principal.ts'

/** A data key as administrators see it. Field names are the API's. */
export interface DataKeyView {
  readonly epoch: number
  readonly state: 'seals' | 'opens'
  readonly key_encryption_key_id: string
  readonly created_at: string
  readonly encryptions: number
}

export interface KeysView {
  readonly data_keys: readonly DataKeyView[]
  /** What is being sealed anew, until the older data keys are destroyed. */
  readonly rotation: { readonly epoch: number; readonly started_at: string; readonly superseded: number } | null
}

/** A rotation this young is answered again: two clicks are meant as one, and each epoch seals everything anew. */
const sameRotationMs = 60_000

/** The tenant's data keys, the newest first. They seal values of every space, so a narrowed bearer may not see them. */
export async function readKeys(context: Pick<Context, 'database'>, principal: Principal): Promise<KeysView> {
  const keys = await keysOf(context, principal)
  const [newest, ...superseded] = keys
  const isUnderWay = newest !== undefined && superseded.length > 0
  return {
    data_keys: keys.map(toView),
    rotation: isUnderWay
      ? { epoch: newest.epoch, started_at: newest.createdAt.toISOString(), superseded: superseded.length }
      : null,
  }
}

/**
 * Gives the caller's tenant a new data key, and answers it. From the moment that processes notice it, everything new is
 * sealed with it; what older ones sealed is sealed anew in the background.
 */
export async function rotateKeysOfTenant(
  context: Pick<Context, 'database' | 'clock' | 'keyEncryptionKeys' | 'wakeUp'>,
  principal: Principal,
): Promise<DataKeyView> {
  const [newest] = await keysOf(context, principal)
  if (newest !== undefined && newest.createdAt > plusMs(context.clock.now(), -sameRotationMs)) return toView(newest, 0)
  const { tenantId } = principal
  const by = { actorId: principal.subject, issuer: principal.issuer }
  await addDataKey(context, tenantId, { epoch: (newest?.epoch ?? 0) + 1, since: new Date(0), by })
  const [made] = await keysOf(context, principal)
  // It was not added, and nobody else added one: the first of ENCRYPTION_KEYS is retired.
  if (made === undefined || made.epoch === newest?.epoch) throw new Problem('encryption_key_unavailable')
  return toView(made, 0)
}

async function keysOf(context: Pick<Context, 'database'>, principal: Principal): Promise<readonly StoredDataKey[]> {
  requireRight(principal, 'connectors:admin')
  requireWholeTenant(principal)
  return listDataKeys(context.database.tenant(principal.tenantId), principal.tenantId)
}

function toView(key: StoredDataKey, place: number): DataKeyView {
  return {
    epoch: key.epoch,
    state: place === 0 ? 'seals' : 'opens',
    key_encryption_key_id: key.keyId,
    created_at: key.createdAt.toISOString(),
    encryptions: key.encryptions,
  }
}
