import { genesisHash } from '../core/audit-entry.ts'
import type { TenantId } from '../core/ids.ts'
import {
  beginChain,
  broken,
  readCheckpoint,
  readEntry,
  type AuditFault,
  type ChainState,
} from '../core/verify-audit.ts'
import { findCheckpoints, listAuditKeys, newestCheckpoint } from '../store/audit-checkpoints.ts'
import { countUnlinkedEntries, findHead, findLinked } from '../store/audit-entries.ts'
import type { Context } from './context.ts'

const portion = 1_000

/** What was found in a tenant's record. */
export type AuditVerdict =
  | {
      readonly kind: 'whole'
      readonly state: ChainState
      readonly unlinked: number
      readonly keyIds: readonly string[]
    }
  | { readonly kind: 'broken'; readonly fault: AuditFault }

/**
 * Reads a tenant's whole chain in the database and names the first thing that is wrong with it.
 *
 * `pinned` is the public key one trusts; without it, somebody who can write every table could have signed anew.
 */
export async function verifyAudit(
  context: Pick<Context, 'database'>,
  tenantId: TenantId,
  pinned: string | undefined,
): Promise<AuditVerdict> {
  const db = context.database.tenant(tenantId)
  // In this order: a checkpoint is never ahead of the head. What is linked while this reads is left for the next time.
  const vouched = (await newestCheckpoint(db, tenantId))?.position ?? 0
  const head = (await findHead(db, tenantId)) ?? { position: 0, hash: genesisHash }
  const keys = await listAuditKeys(db, tenantId)
  const trusted = new Map(keys.filter((key) => (pinned ?? key.public_key) === key.public_key).map(nameAndKey))
  const end = Math.max(head.position, vouched)
  let state = beginChain(tenantId, 0, genesisHash)
  for (let after = 0; after < end; after += portion) {
    const range = { after, upTo: Math.min(after + portion, end), limit: portion + 1 }
    const entries = await findLinked(db, tenantId, range)
    const checkpoints = await findCheckpoints(db, tenantId, range)
    let next = 0
    for (const entry of entries) {
      const step = readEntry(state, entry)
      if (step.kind === 'broken') return step
      state = step.state
      const checkpoint = checkpoints[next]
      if (checkpoint?.position !== state.position) continue
      const vouching = readCheckpoint(state, checkpoint, trusted)
      if (vouching.kind === 'broken') return vouching
      state = vouching.state
      next += 1
    }
    if (state.position < range.upTo) {
      return broken(state.position + 1, 'truncated', `entries up to position ${end} are vouched for`)
    }
  }
  if (state.position > head.position || state.hash !== head.hash) {
    return broken(head.position + 1, 'altered', 'the chain does not end where its head says')
  }
  const [beyond] = await findLinked(db, tenantId, { after: end, upTo: Number.MAX_SAFE_INTEGER, limit: 1 })
  if (beyond !== undefined && ((await findHead(db, tenantId))?.position ?? 0) < beyond.position) {
    return broken(beyond.position, 'altered', 'an entry stands beyond the end of the chain')
  }
  return {
    kind: 'whole',
    state,
    unlinked: await countUnlinkedEntries(db, tenantId),
    keyIds: [...trusted.keys()],
  }
}

const nameAndKey = (key: { readonly key_id: string; readonly public_key: string }) =>
  [key.key_id, key.public_key] as const
