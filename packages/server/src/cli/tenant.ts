import { defineCommand } from 'citty'
import { durationMs } from '../core/duration.ts'
import { UsageError } from './usage-error.ts'

const erase = defineCommand({
  meta: {
    name: 'erase',
    description: 'Disconnect everything a tenant has connected, and destroy all of its data and its data keys',
  },
  args: {
    tenant: { type: 'positional', required: true, description: 'The tenant' },
    yes: { type: 'boolean', default: false, description: 'Erase without asking' },
    wait: { type: 'string', default: '60s', description: 'How long at most to wait for revocations at providers' },
  },
  async run({ args }) {
    const waitMs = args.wait === '0' ? 0 : durationMs(args.wait)
    if (waitMs === undefined) throw new UsageError('--wait takes a number and a unit: 90s, 15m, 8h, or 0')
    if (!/^[\x21-\x7e]{1,128}$/.test(args.tenant)) throw new UsageError('A tenant has 1 to 128 visible characters')
    const { eraseOnCommand } = await import('./tenant-erase.ts')
    return eraseOnCommand({ tenant: args.tenant, isSure: args.yes, waitMs })
  },
})

export const tenantCommand = defineCommand({
  meta: { name: 'tenant', description: 'Tenants' },
  subCommands: { erase },
})
