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
  meta: { name: 'status', description: 'Show the state of each key, and what waits to be sealed anew' },
  async run() {
    const { showKeyStatus } = await import('./keys-status.ts')
    return showKeyStatus()
  },
})

const rotate = defineCommand({
  meta: { name: 'rotate', description: 'Wrap all data keys by the first key, add new data keys, retire old keys' },
  args: {
    'data-keys-only': { type: 'boolean', description: 'Add new data keys though the first key is not new' },
    wait: { type: 'boolean', description: 'Seal everything anew here, not in the background' },
  },
  async run({ args }) {
    const { rotateKeys } = await import('./keys-rotate.ts')
    return rotateKeys({ what: args['data-keys-only'] === true ? 'data-keys' : 'all-keys', waits: args.wait === true })
  },
})

export const keysCommand = defineCommand({
  meta: { name: 'keys', description: 'Keys that seal what is stored' },
  subCommands: { generate, status, rotate },
})
