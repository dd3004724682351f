import { defineCommand } from 'citty'
import { UsageError } from './usage-error.ts'

export const importCommand = defineCommand({
  meta: {
    name: 'import',
    description: 'Take over accounts that were connected elsewhere, from a file of their tokens',
  },
  args: {
    file: { type: 'positional', required: true, description: 'A file with one account a line; see docs/migrating.md' },
    format: { type: 'string', description: 'csv or jsonl; default: what the file’s name ends with' },
    tenant: { type: 'string', description: 'The tenant of lines without a tenant_id' },
    sub: { type: 'string', description: 'Whose the accounts of lines without a principal_id are' },
    'dry-run': { type: 'boolean', description: 'Say what would be done, and do nothing' },
  },
  async run({ args }) {
    const format = args.format ?? /\.([^.]+)$/.exec(args.file)?.[1]
    if (format !== 'csv' && format !== 'jsonl') throw new UsageError('--format takes csv or jsonl')
    const { importFile } = await import('./import-file.ts')
    return importFile({
      file: args.file,
      format,
      tenant: args.tenant,
      subject: args.sub,
      isDryRun: args['dry-run'] === true,
    })
  },
})
