import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { picture } from './picture.ts'
import type { Results } from './results.ts'
import { markdown } from './table.ts'

const file = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url))
const begin = '<!-- measured by npm run bench: begin -->'
const end = '<!-- measured by npm run bench: end -->'

/** Writes the figures, the picture, and the generated part of the page. */
export function writeReport(results: Results): void {
  mkdirSync(file('bench/results'), { recursive: true })
  writeFileSync(file('bench/results/latest.json'), `${JSON.stringify(results, undefined, 2)}\n`)
  writeFileSync(file('docs/images/performance.svg'), picture(results))
  const page = file('docs/performance.md')
  writeFileSync(page, withMeasured(readFileSync(page, 'utf8'), markdown(results)))
}

/** The page with its generated part replaced. Throws when the marks are gone. */
export function withMeasured(page: string, measured: string): string {
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error('docs/performance.md has lost the marks of its generated part')
  return `${page.slice(0, from + begin.length)}\n\n${measured}\n\n${page.slice(to)}`
}
