import type { ProviderDefinition } from '../core/provider-definition.ts'
import type { DefinitionProblem } from './definition-problem.ts'

/** A definition and the name of the file it was read from, without `.json`. */
export interface CatalogFile {
  readonly name: string
  readonly definition: ProviderDefinition
}

export interface CatalogProblem extends DefinitionProblem {
  readonly slug: string
}

/** What is wrong between the entries of a catalogue; `checkDefinition` sees to each by itself. */
export function checkCatalog(files: readonly CatalogFile[]): CatalogProblem[] {
  const bySlug = new Map(files.map(({ definition }) => [definition.slug, definition]))
  const problems: CatalogProblem[] = []
  const slugs = new Set<string>()
  const names = new Map<string, string>()
  for (const { name, definition } of files) {
    const { slug } = definition
    const report = (field: string, message: string): void => {
      problems.push({ rule: 'catalog', slug, path: [field], message })
    }
    if (name !== slug) report('slug', `The file is called ${name}.json; file and slug must agree.`)
    if (slugs.has(slug)) report('slug', 'Another entry has this slug.')
    slugs.add(slug)
    const displayName = definition.display_name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
    const namesake = names.get(displayName)
    if (namesake !== undefined) report('display_name', `It cannot be told from ${namesake} by its name.`)
    names.set(displayName, slug)
    const parent = definition.variant_of === undefined ? undefined : bySlug.get(definition.variant_of)
    if (definition.variant_of !== undefined && parent === undefined) report('variant_of', 'There is no such entry.')
    if (parent?.variant_of !== undefined) report('variant_of', 'A variant must name the original, not another variant.')
    if (definition.issuer !== undefined && definition.jwks_uri === undefined) {
      report('jwks_uri', 'An entry with an issuer names its keys; discovery is for custom providers.')
    }
  }
  return problems
}
