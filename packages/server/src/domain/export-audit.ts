import { auditFormat, genesisHash } from '../core/audit-entry.ts'
import { footerBytes, type ExportHeader, type ExportLine } from '../core/audit-export.ts'
import { findCheckpoints, listAuditKeys } from '../store/audit-checkpoints.ts'
import { findHead, findLinked } from '../store/audit-entries.ts'
import { bringUpToDate, requireWholeTenant } from './audit-record.ts'
import type { Context } from './context.ts'
import { requireRight, type Principal } from './principal.ts'
import { auditSigner, signCheckpoint } from './sign-checkpoint.ts'

/** As many entries are in memory at once, however many are exported. */
const portion = 500

type Needs = Pick<Context, 'database' | 'clock' | 'vault' | 'activity'>

/**
 * The tenant's record, or a stretch of it, as lines of JSON that `audit verify --file` proves untouched offline.
 *
 * Rights are judged, and what waits is linked and signed, before it answers; lines are read as they are asked for.
 * An export that fails in the midst has no last line, and so does not pass for a whole one.
 */
export async function exportAudit(
  context: Needs,
  principal: Principal,
  asked: { readonly from: number | undefined; readonly to: number | undefined },
): Promise<AsyncIterable<string>> {
  requireRight(principal, 'connectors:admin')
  requireWholeTenant(principal)
  const { tenantId } = principal
  await bringUpToDate(context, principal)
  await signCheckpoint(context, tenantId, 'wait')
  const db = context.database.tenant(tenantId)
  const head = (await findHead(db, tenantId)) ?? { position: 0, hash: genesisHash }
  const from = Math.min(asked.from ?? 1, head.position + 1)
  const to = Math.max(from - 1, Math.min(asked.to ?? head.position, head.position))
  const [before] = from === 1 ? [] : await findLinked(db, tenantId, { after: from - 2, upTo: from - 1, limit: 1 })
  const keys = await listAuditKeys(db, tenantId)
  return linesOf(context, principal, {
    format: auditFormat,
    tenant_id: tenantId,
    from_position: from,
    to_position: to,
    previous_hash: before?.hash ?? genesisHash,
    exported_at: context.clock.now().toISOString(),
    public_keys: Object.fromEntries(keys.map((key) => [key.key_id, key.public_key])),
  })
}

async function* linesOf(context: Needs, principal: Principal, header: ExportHeader): AsyncGenerator<string> {
  const { tenantId } = principal
  const db = context.database.tenant(tenantId)
  yield lineOf({ type: 'header', ...header })
  const count = { entries: 0, checkpoints: 0 }
  let after = header.from_position - 1
  let lastHash = header.previous_hash
  while (after < header.to_position) {
    const upTo = Math.min(after + portion, header.to_position)
    const entries = await findLinked(db, tenantId, { after, upTo, limit: portion })
    const checkpoints = await findCheckpoints(db, tenantId, { after, upTo, limit: portion })
    const signed = new Map(checkpoints.map((checkpoint) => [checkpoint.position, checkpoint]))
    yield entries
      .map((entry) => {
        const checkpoint = signed.get(entry.position)
        return lineOf({ type: 'entry', ...entry }) + (checkpoint ? lineOf({ type: 'checkpoint', ...checkpoint }) : '')
      })
      .join('')
    count.entries += entries.length
    count.checkpoints += checkpoints.length
    lastHash = entries.at(-1)?.hash ?? lastHash
    after = upTo
  }
  const signer = await auditSigner(context, tenantId)
  const footer = { last_hash: lastHash, ...count, key_id: signer.keyId }
  yield lineOf({ type: 'footer', ...footer, signature: signer.sign(footerBytes(header, footer)) })
}

function lineOf(line: ExportLine): string {
  return `${JSON.stringify(line)}\n`
}
