import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runCli } from '../../src/cli/cli.ts'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { checkDefinition } from '../../src/providers/check-definition.ts'
import { pages, textOf } from './support/snippets.ts'

describe('what the pages show', () => {
  it('CONTRIBUTING’s example of a provider breaks no rule', () => {
    const example = /^ *```json\n([\s\S]*?)^ *```$/m.exec(textOf('CONTRIBUTING.md'))?.[1] ?? ''
    const { $schema, ...definition } = JSON.parse(example) as ProviderDefinition & { $schema: string }
    assert.equal($schema, '../provider.schema.json')
    assert.deepEqual(checkDefinition(definition), [])
  })

  it('every command line in the pages names a command that there is', async (context) => {
    // Their usage would drown the run's own output.
    for (const stream of ['log', 'error'] as const) context.mock.method(console, stream, () => {})
    const text = [...pages, 'CONTRIBUTING.md'].map(textOf).join('\n')
    const shown = [...text.matchAll(/npx connector-oauth ((?:[a-z][a-z-]*)(?: [a-z]+)?)/g)].map(
      (match) => match[1] ?? '',
    )
    const commands = new Set(shown.map((command) => command.replace(/ (?:prints|while|and)$/, '')))
    assert.ok(commands.size > 5)
    for (const command of commands) assert.equal(await runCli([...command.split(' '), '--help']), 0, command)
    assert.equal(await runCli(['keys', 'gone', '--help']), 2)
  })
})
