import { entryHash } from '../core/audit-entry.ts'
import type { TenantId } from '../core/ids.ts'
import { lockIdleChains, moveChainHeads, type ChainHead } from '../store/audit-chain.ts'
import { addLinkedUses, type LinkedUse, type RecordedUse } from '../store/uses.ts'
import type { Context } from './context.ts'
import { checkpointDue } from './link-audit.ts'

/**
 * Writes uses that were never sent before, and links them at once where nothing of their tenant waits to be linked: to
 * write an entry and its event first and give them their places afterwards costs the database twice as much.
 *
 * A use stands behind whatever its caller could have seen, since that was committed before the use was noted.
 */
export async function recordUses(
  context: Pick<Context, 'database' | 'clock'>,
  uses: readonly RecordedUse[],
): Promise<void> {
  await context.database.systemTransaction(async (db) => {
    const tenants = [...new Set(uses.map((use) => use.tenantId))]
    const chains = await lockIdleChains(db, tenants)
    const moved = new Map<TenantId, Link>()
    const linked = uses.map((use): LinkedUse => {
      const head = chains.get(use.tenantId)
      if (head === undefined) return { use, link: undefined }
      const link = linkAfter(moved.get(use.tenantId) ?? head, use)
      moved.set(use.tenantId, link)
      return { use, link }
    })
    const now = context.clock.now()
    const heads = [...moved].map(([tenantId, { position, hash }]) => ({
      tenantId,
      position,
      hash,
      checkpointDueAt: checkpointDue(position, chains.get(tenantId) ?? unsigned, now),
    }))
    await Promise.all([addLinkedUses(db, linked), moveChainHeads(db, heads)])
  })
}

const unsigned = { signedPosition: 0 }

type Link = Pick<ChainHead, 'position' | 'hash'>

/** In the words the database will give back: it spells UUIDs in lower case, and leaves texts and whole numbers as they are. */
function linkAfter(head: Link, use: RecordedUse): Link {
  const position = head.position + 1
  const hash = entryHash(head.hash.toString('hex'), {
    tenant_id: use.tenantId,
    position,
    entry_id: use.id,
    action: use.action,
    actor_id: use.actorId,
    resource_type: 'connector',
    resource_id: use.connectorId,
    space_id: use.spaceId.toLowerCase(),
    collection_id: use.collectionId.toLowerCase(),
    metadata: JSON.parse(use.metadata),
    created_at: use.createdAt.toISOString(),
  })
  return { position, hash: Buffer.from(hash, 'hex') }
}
