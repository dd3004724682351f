import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { runCli } from '../../src/cli/cli.ts'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { checkDefinition } from '../../src/providers/check-definition.ts'

const root = path.join(import.meta.dirname, '../../../..')
const read = (page: string): string => readFileSync(path.join(root, page), 'utf8')

describe('what the pages show', () => {
  it('CONTRIBUTING’s example of a provider breaks no rule', () => {
    const example = /^ *```json\n([\s\S]*?)^ *```$/m.exec(read('CONTRIBUTING.md'))?.[1] ?? ''
    const { $schema, ...definition } = JSON.parse(example) as ProviderDefinition & { $schema: string }
    assert.equal($schema, '../provider.schema.json')
    assert.deepEqual(checkDefinition(definition), [])
  })

  it('every command line in the pages names a command that there is', async (context) => {
    // Their usage would drown the run's own output.
    for (const stream of ['log', 'error'] as const) context.mock.method(console, stream, () => {})
    const pages = ['README.md', 'CONTRIBUTING.md', 'docs/operations.md'].map(read).join('\n')
    const shown = [...pages.matchAll(/npx connector-oauth ((?:[a-z][a-z-]*)(?: [a-z]+)?)/g)].map(
      (match) => match[1] ?? '',
    )
    const commands = new Set(shown.map((command) => command.replace(/ (?:prints|while|and)$/, '')))
    assert.ok(commands.size > 5)
    for (const command of commands) assert.equal(await runCli([...command.split(' '), '--help']), 0, command)
    assert.equal(await runCli(['keys', 'gone', '--help']), 2)
  })
})
