import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { renderSupportPage, supportPage } from '../scripts/docs-browser-support.ts'

const read = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8')
const columnOf = (text: string, heading: string): string[] => {
  const table = text.split(heading)[1]?.split('\n\n')[0] ?? ''
  return [...table.matchAll(/^\| `([\w-]+)`/gm)].map((match) => match[1] ?? '')
}

describe('the package’s pages', () => {
  it('docs/browser-support.md says what the tests play; else run packages/browser/scripts/docs-browser-support.ts', () => {
    assert.equal(readFileSync(supportPage, 'utf8'), renderSupportPage())
  })

  it('list every reason and every way, and no other', () => {
    const union = (file: string, name: string): string[] => {
      const body = read(file).split(`export type ${name} =`)[1]?.split('\n\n')[0] ?? ''
      return [...body.matchAll(/^ {2}\| '(\w+)'/gm)].map((match) => match[1] ?? '')
    }
    const reasons = union('../src/connect-error.ts', 'ConnectFailure')
    assert.ok(reasons.length >= 10)
    assert.deepEqual(columnOf(read('../README.md'), '| `reason` | What happened |'), reasons)
    const ways = union('../src/outcome.ts', 'Via')
    assert.equal(ways.length, 6)
    assert.deepEqual(columnOf(renderSupportPage(), '| Way | What it means |').toSorted(), ways.toSorted())
  })
})
