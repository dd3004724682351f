/** Writes `src/providers/provider.schema.json`, which editors use on catalogue files, from the schema in the code. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ProviderDefinition } from '../src/core/provider-definition.ts'

/** Where the generated schema stands. */
export const schemaFile = join(import.meta.dirname, '../src/providers/provider.schema.json')

/** The JSON Schema of a catalogue file: a definition, plus the `$schema` that names this file. */
export function renderProviderSchema(): string {
  const document = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Provider catalogue entry',
    ...ProviderDefinition,
    $id: undefined,
    properties: { $schema: { type: 'string' }, ...ProviderDefinition.properties },
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

if (import.meta.main) writeFileSync(schemaFile, renderProviderSchema())
