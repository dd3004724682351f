import { createReadStream } from 'node:fs'
import { defineCommand } from 'citty'
import type { AuditFault, ChainState } from '../core/verify-audit.ts'

/** Longer lines are none of this service's, and would be held in memory. */
const longestLine = 4 * 1024 * 1024

const verify = defineCommand({
  meta: { name: 'verify', description: 'Prove that the audit record, or an export of it, is untouched' },
  args: {
    tenant: { type: 'string', description: 'Only this tenant; default: all of the database' },
    file: { type: 'string', description: 'An export, checked offline without database or settings' },
    'public-key': { type: 'string', description: 'The Base64 key that must have signed; keep it outside the service' },
  },
  async run({ args }) {
    if (args.file !== undefined) return verifyFile(args.file, args['public-key'], args.tenant)
    return verifyDatabase(args.tenant, args['public-key'])
  },
})

export const auditCommand = defineCommand({
  meta: { name: 'audit', description: 'The audit record' },
  subCommands: { verify },
})

async function verifyFile(file: string, pinned: string | undefined, tenant: string | undefined): Promise<number> {
  const { emptyExport, endExport, readExportLine } = await import('../core/verify-export.ts')
  let state = emptyExport
  for await (const line of linesOf(createReadStream(file, 'utf8'))) {
    state = readExportLine(state, line, pinned)
    if (state.kind === 'broken') break
  }
  const end = endExport(state)
  if (end.kind !== 'complete') return tellFault(tenant, end.kind === 'broken' ? end.fault : undefined)
  const { header, chain } = end
  if (tenant !== undefined && header.tenant_id !== tenant) {
    return tellFault(tenant, {
      position: 0,
      fault: 'altered',
      detail: `the export is of the tenant ${header.tenant_id}`,
    })
  }
  return tellWhole(chain, {
    from_position: header.from_position,
    exported_at: header.exported_at,
    key_ids: Object.keys(header.public_keys),
    key_is_pinned: pinned !== undefined,
  })
}

/** What the stream holds, line by line; the last ends with the stream. */
async function* linesOf(stream: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
    // Falls through as unreadable.
    if (rest.length > longestLine) break
  }
  if (rest !== '') yield rest
}

async function verifyDatabase(tenant: string | undefined, pinned: string | undefined): Promise<number> {
  const { settle } = await import('../settle.ts')
  const { openDatabase } = await import('../store/database.ts')
  const { tenantsWithRecord } = await import('../store/audit-entries.ts')
  const { verifyAudit } = await import('../domain/verify-audit.ts')
  const { tenantId } = await import('../core/ids.ts')
  const settlement = await settle((message) => console.error(message))
  const database = openDatabase(settlement.settled.databaseUrl, { poolSize: 1 })
  try {
    const tenants = tenant === undefined ? await tenantsWithRecord(database.system) : [tenant]
    let exitCode = 0
    for (const each of tenants) {
      const verdict = await verifyAudit({ database }, tenantId(each), pinned)
      if (verdict.kind === 'broken') exitCode = tellFault(each, verdict.fault)
      else {
        const more = { not_linked_yet: verdict.unlinked, key_ids: verdict.keyIds, key_is_pinned: pinned !== undefined }
        tellWhole(verdict.state, more)
      }
    }
    if (tenants.length === 0) console.error('There is no audit record yet')
    return exitCode
  } finally {
    await database.close()
    await settlement.stopDatabase()
  }
}

function tellWhole(chain: ChainState, more: Readonly<Record<string, unknown>>): number {
  const { tenantId, entries, checkpoints, position } = chain
  console.log(
    JSON.stringify({ tenant_id: tenantId, verified: true, entries, last_position: position, checkpoints, ...more }),
  )
  return 0
}

function tellFault(tenant: string | undefined, fault: AuditFault | undefined): number {
  console.log(JSON.stringify({ ...(tenant !== undefined && { tenant_id: tenant }), verified: false, ...fault }))
  return 1
}
