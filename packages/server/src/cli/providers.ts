import { defineCommand } from 'citty'
import { checkCatalog } from '../providers/check-catalog.ts'
import { checkDefinition } from '../providers/check-definition.ts'
import { loadCatalog } from '../providers/registry.ts'

const list = defineCommand({
  meta: { name: 'list', description: 'List the catalogue' },
  run() {
    for (const definition of loadCatalog().list()) {
      console.log(`${definition.slug.padEnd(36)}${definition.display_name}`)
    }
  },
})

const check = defineCommand({
  meta: { name: 'check', description: 'Hold every entry of the catalogue to the rules' },
  run() {
    const definitions = loadCatalog().list()
    const problems = [
      ...definitions.flatMap((definition) =>
        checkDefinition(definition).map((problem) => ({ slug: definition.slug, ...problem })),
      ),
      ...checkCatalog(definitions.map((definition) => ({ name: definition.slug, definition }))),
    ]
    for (const problem of problems) console.error(JSON.stringify(problem))
    console.error(`${definitions.length} providers, ${problems.length} problems`)
    return problems.length === 0 ? 0 : 1
  },
})

export const providersCommand = defineCommand({
  meta: { name: 'providers', description: 'The provider catalogue' },
  subCommands: { list, check },
})
