/** The provider catalogue: one JSON file an entry under `catalog/`, read once at start. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ProviderDefinition } from '../core/provider-definition.ts'

export interface ProviderCatalog {
  get(slug: string): ProviderDefinition | undefined
  /** Every entry, sorted by slug. */
  list(): readonly ProviderDefinition[]
}

/**
 * Reads the catalogue, a few hundred small files, synchronously: it belongs to the program as its modules do.
 *
 * Entries are frozen and taken as they are; `providers check` and the tests hold them to `checkDefinition`. Throws
 * when a file is not JSON or does not carry the slug it is named for.
 */
export function loadCatalog(directory: string = join(import.meta.dirname, 'catalog')): ProviderCatalog {
  const definitions = readdirSync(directory)
    .filter((file) => file.endsWith('.json'))
    .map((file) => readEntry(directory, file))
    .sort((one, other) => (one.slug < other.slug ? -1 : 1))
  const bySlug = new Map(definitions.map((definition) => [definition.slug, definition]))
  return { get: (slug) => bySlug.get(slug), list: () => definitions }
}

function readEntry(directory: string, file: string): ProviderDefinition {
  // Files of this repository, checked against the schema by the tests; `$schema` is there for editors.
  const { $schema: _, ...definition } = JSON.parse(
    readFileSync(join(directory, file), 'utf8'),
  ) as ProviderDefinition & {
    $schema?: string
  }
  if (`${definition.slug}.json` !== file) throw new Error(`Catalogue file ${file} holds the slug ${definition.slug}.`)
  return frozen(definition)
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen)
  return value
}
