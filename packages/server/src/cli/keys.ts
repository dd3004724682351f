import { randomBytes } from 'node:crypto'
import { defineCommand } from 'citty'

const generate = defineCommand({
  meta: { name: 'generate', description: 'Print a new key for ENCRYPTION_KEYS' },
  args: { id: { type: 'string', description: 'Its id; default: today’s date' } },
  run({ args }) {
    const id = args.id ?? `k${new Date().toISOString().slice(0, 10).replaceAll('-', '')}`
    process.stdout.write(`${id}:${randomBytes(32).toString('base64')}\n`)
  },
})

const status = defineCommand({
  meta: { name: 'status', description: 'Show which key-encryption key wraps how many data keys' },
  async run() {
    const { settle } = await import('../settle.ts')
    const { composeFlows } = await import('../compose.ts')
    const { dataKeys } = await import('../store/data-keys.ts')
    const settlement = await settle((message) => console.error(message))
    const flows = composeFlows({ ...settlement.settled, ownProvider: undefined })
    try {
      const counts = await dataKeys(flows.context.database).countByKey()
      const { currentId, ids } = flows.keyEncryptionKeys
      for (const id of new Set([...ids, ...counts.map((count) => count.keyId)])) {
        const dataKeyCount = counts.find((count) => count.keyId === id)?.dataKeys ?? 0
        const state = id === currentId ? 'seals' : ids.includes(id) ? 'opens' : 'missing'
        console.log(JSON.stringify({ key_id: id, state, data_keys: dataKeyCount }))
      }
    } finally {
      await flows.close()
      await settlement.stopDatabase()
    }
  },
})

export const keysCommand = defineCommand({
  meta: { name: 'keys', description: 'Key-encryption keys' },
  subCommands: { generate, status },
})
