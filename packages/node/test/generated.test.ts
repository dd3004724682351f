import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { generatedFiles, renderErrorCodes, renderTypes } from '../scripts/generate-types.ts'

it('has the types that the contract has; else run packages/node/scripts/generate-types.ts', async () => {
  assert.equal(readFileSync(generatedFiles.types, 'utf8'), await renderTypes())
})

it('knows every code of the service; else run packages/node/scripts/generate-types.ts', () => {
  assert.equal(readFileSync(generatedFiles.errorCodes, 'utf8'), renderErrorCodes())
})
