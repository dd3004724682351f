import { auditKeyId, checkpointBytes } from '../core/audit-checkpoint.ts'
import { genesisHash } from '../core/audit-entry.ts'
import { plusMs } from '../core/clock.ts'
import { DatabaseUnavailable } from '../core/database-unavailable.ts'
import { tenantId as toTenantId, type TenantId } from '../core/ids.ts'
import type { Secret } from '../core/secret.ts'
import { lockChains } from '../store/audit-chain.ts'
import {
  addAuditKey,
  addCheckpoint,
  listAuditKeys,
  postponeCheckpoint,
  tenantsWithDueCheckpoint,
} from '../store/audit-checkpoints.ts'
import type { AuditKeyRow } from '../store/rows.ts'
import type { Place } from '../vault/place.ts'
import { createSigningKey, signWith } from '../vault/signing.ts'
import type { Context } from './context.ts'

const tenantsAtOnce = 100
const tryAgainAfterMs = 60_000

type Needs = Pick<Context, 'database' | 'clock' | 'vault' | 'meter'>

/** A tenant's opened key for signing its record. */
export interface AuditSigner {
  readonly keyId: string
  readonly publicKey: string
  sign(bytes: Uint8Array): string
}

/** Signs what has been linked and not signed for a while, and answers how many checkpoints that made. */
export async function signDue(context: Needs): Promise<number> {
  const now = context.clock.now()
  let signed = 0
  for (const tenant of await tenantsWithDueCheckpoint(context.database.system, now, tenantsAtOnce)) {
    const tenantId = toTenantId(tenant)
    try {
      signed += (await signCheckpoint(context, tenantId, 'leave')) ? 1 : 0
    } catch (error) {
      if (error instanceof DatabaseUnavailable) throw error
      // A key that does not open must not keep other tenants from their checkpoints.
      context.meter.count('job_failures_total', { work: 'checkpoint' })
      await postponeCheckpoint(context.database.tenant(tenantId), tenantId, plusMs(now, tryAgainAfterMs))
    }
  }
  return signed
}

/** Signs the head of a tenant's chain, unless it is signed already or somebody else works on it. */
export async function signCheckpoint(
  context: Pick<Context, 'database' | 'clock' | 'vault'>,
  tenantId: TenantId,
  whenBusy: 'wait' | 'leave',
): Promise<boolean> {
  const signer = await auditSigner(context, tenantId)
  return context.database.transaction(tenantId, async (db) => {
    const head = (await lockChains(db, [tenantId], Buffer.from(genesisHash, 'hex'), whenBusy)).get(tenantId)
    if (head === undefined || head.position <= head.signedPosition) return false
    const checkpoint = {
      tenant_id: tenantId,
      position: head.position,
      hash: head.hash.toString('hex'),
      created_at: context.clock.now().toISOString(),
      key_id: signer.keyId,
    }
    await addCheckpoint(db, { ...checkpoint, signature: signer.sign(checkpointBytes(checkpoint)) })
    return true
  })
}

/** The tenant's key, made when it has none. Of several that are made at once the newest signs; the others stay known. */
export async function auditSigner(
  context: Pick<Context, 'database' | 'clock' | 'vault'>,
  tenantId: TenantId,
): Promise<AuditSigner> {
  const db = context.database.tenant(tenantId)
  const [known] = await listAuditKeys(db, tenantId)
  const key = known ?? (await makeKey(context, tenantId))
  const privateKey: Secret = await context.vault.open(auditKeyPlace(key), key.private_key)
  return { keyId: key.key_id, publicKey: key.public_key, sign: (bytes) => signWith(privateKey, bytes) }
}

async function makeKey(
  context: Pick<Context, 'database' | 'clock' | 'vault'>,
  tenantId: TenantId,
): Promise<AuditKeyRow> {
  const { publicKey, privateKey } = createSigningKey()
  const ids = { tenant_id: tenantId, key_id: auditKeyId(publicKey) }
  const key = {
    ...ids,
    public_key: publicKey,
    private_key: await context.vault.seal(auditKeyPlace(ids), privateKey),
    created_at: context.clock.now(),
  }
  await addAuditKey(context.database.tenant(tenantId), key)
  return key
}

/** The place of a sealed signing key. */
export function auditKeyPlace(key: Pick<AuditKeyRow, 'tenant_id' | 'key_id'>): Place {
  return {
    purpose: 'audit',
    tenantId: toTenantId(key.tenant_id),
    spaceId: '',
    collectionId: '',
    subjectId: key.key_id,
    field: 'private_key',
  }
}
