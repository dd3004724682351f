import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { it } from 'node:test'
import { style } from '../../src/http/pages/style.ts'

/** What a sheet says of a custom property, light before dark. */
const valuesOf = (css: string, name: string) =>
  [...css.matchAll(new RegExp(`--${name}: (#\\w+);`, 'g'))].map(([, value]) => value)

it('has one accent, light and dark, in the dashboard, in the guides and on the pages of connecting', async () => {
  const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8')
  const dashboard = await read('../../../dashboard/src/main.css')
  const guides = await read('../../src/http/guides/guides.css')
  const accents = valuesOf(dashboard, 'accent')
  assert.equal(accents.length, 2)
  for (const css of [guides, style]) assert.deepEqual(valuesOf(css, 'accent'), accents)
  assert.deepEqual(valuesOf(style, 'on-accent'), valuesOf(dashboard, 'on-accent'))
})
