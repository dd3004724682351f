import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Compile } from 'typebox/compile'
import { IsSchema } from 'typebox'
import { registerFormats } from '../../src/http/formats.ts'

const folder = new URL('../../../contract/src/', import.meta.url)

// They are compiled when their route is first called, so the start shows no fault in them.
it('every schema of the contract can be compiled', async () => {
  registerFormats()
  let compiled = 0
  for (const file of readdirSync(fileURLToPath(folder))) {
    const module = (await import(new URL(file, folder).href)) as Readonly<Record<string, unknown>>
    for (const [name, schema] of Object.entries(module)) {
      if (!IsSchema(schema)) continue
      assert.doesNotThrow(() => Compile(schema).Check({}), `${file}: ${name}`)
      compiled += 1
    }
  }
  assert.ok(compiled > 100, `only ${compiled} were found`)
})
