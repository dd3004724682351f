import { createInterface } from 'node:readline/promises'
import { composeFlows } from '../compose.ts'
import { isTerminal } from '../config.ts'
import { tenantId } from '../core/ids.ts'
import { describeTenant, eraseTenant, type Erasure, type TenantContents } from '../domain/erase-tenant.ts'
import { settle } from '../settle.ts'
import { ownProviderOf } from './own-provider.ts'

/** `tenant erase`. Answers the exit code: 1 when something is left, 2 when nobody said that it shall be. */
export async function eraseOnCommand(wanted: {
  readonly tenant: string
  readonly isSure: boolean
  readonly waitMs: number
}): Promise<number> {
  const settlement = await settle((message) => console.error(message))
  const flows = composeFlows({ ...settlement.settled, ownProvider: ownProviderOf(settlement) })
  try {
    const tenant = tenantId(wanted.tenant)
    const contents = await describeTenant(flows.context, tenant)
    showContents(wanted.tenant, contents)
    if (contents.tables.length > 0 && !wanted.isSure && !(await isConfirmed(wanted.tenant))) return 2
    const erasure = await eraseTenant(flows.context, tenant, wanted.waitMs, showProgress)
    showErasure(erasure)
    return erasure.rows_left > 0 ? 1 : 0
  } finally {
    await flows.close()
    await settlement.stopDatabase()
  }
}

function showContents(tenant: string, contents: TenantContents): void {
  if (!isTerminal()) {
    const rows = Object.fromEntries(contents.tables.map(({ table, rows: count }) => [table, count]))
    const { connected, keyEncryptionKeyIds } = contents
    console.log(
      JSON.stringify({
        step: 'found',
        tenant_id: tenant,
        connected,
        rows,
        key_encryption_key_ids: keyEncryptionKeyIds,
      }),
    )
    return
  }
  if (contents.tables.length === 0) return console.log(`There is nothing of the tenant ${tenant}.`)
  console.log(`Of the tenant ${tenant} this destroys, for ever:`)
  for (const { table, rows } of contents.tables) console.log(`  ${table.padEnd(24)} ${rows}`)
  console.log(`  ${contents.connected} connected accounts are disconnected and revoked at their providers first.`)
}

/** Off a terminal nobody can be asked. */
async function isConfirmed(tenant: string): Promise<boolean> {
  if (!isTerminal() || !process.stdin.isTTY) {
    console.error('Nothing was erased: say --yes to erase this')
    return false
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    const answer = await terminal.question('Type the name of the tenant to erase it: ')
    if (answer === tenant) return true
    console.error('Nothing was erased')
    return false
  } finally {
    terminal.close()
  }
}

function showProgress(progress: Parameters<Parameters<typeof eraseTenant>[3]>[0]): void {
  if (!isTerminal()) return console.log(JSON.stringify(progress))
  const { step, ...figures } = progress
  const words = Object.entries(figures).map(([name, value]) => `${name} ${value}`)
  process.stdout.write(`\r\u001b[K${step}: ${words.join(', ')}`)
}

/** The receipt goes to stdout and nowhere else; what it means for backups goes beside it. */
function showErasure(erasure: Erasure): void {
  if (isTerminal()) process.stdout.write('\r\u001b[K')
  console.log(JSON.stringify({ step: 'erased', ...erasure }))
  if (erasure.revocations.untold > 0) {
    console.error(
      `${erasure.revocations.untold} grants could not be revoked in time: their tokens are destroyed here, and their providers do not know.`,
    )
  }
  if (erasure.rows_left > 0) {
    console.error('Requests of this tenant still arrive and leave rows: end them, then run this again.')
  }
  if (erasure.key_encryption_key_ids.length > 0) {
    console.error(
      `Backups made before now hold the tenant's data keys, wrapped by ${erasure.key_encryption_key_ids.join(', ')}. ` +
        'They become unreadable with the last copy of the table data_keys that is older than now, or with that key; see docs/ending-connections.md.',
    )
  }
}
