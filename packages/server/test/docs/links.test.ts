import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'

const root = path.join(import.meta.dirname, '../../../..')
const pages = ['*.md', 'docs/**/*.md', '{packages,examples}/*/README.md'].flatMap((pattern) =>
  globSync(pattern, { cwd: root }),
)

/** The links of a page that lead nowhere: to a file that is not there, or to a heading that the page does not have. */
function deadLinks(page: string, text: string): string[] {
  const headings = new Set([...text.matchAll(/^#+ (.*)$/gm)].map((match) => anchorOf(match[1] ?? '')))
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
    const target = match[1] ?? ''
    if (/^[a-z]+:/.test(target)) return []
    if (target.startsWith('#')) return headings.has(target.slice(1)) ? [] : [`${page}: ${target}`]
    const file = path.join(root, path.dirname(page), target.split('#', 1)[0] ?? '')
    return existsSync(file) ? [] : [`${page}: ${target}`]
  })
}

/** How GitHub names the anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

/** Test files that a page names in code, and that are not there. */
function missingFiles(page: string, text: string): string[] {
  return [...text.matchAll(/`(test\/[\w./-]+\.ts|src\/[\w./-]+\.ts|scripts\/[\w./-]+\.m?[tj]s)`/g)].flatMap((match) => {
    const name = match[1] ?? ''
    const places = [root, path.join(root, 'packages/server'), path.join(root, path.dirname(page))]
    return places.some((place) => existsSync(path.join(place, name))) ? [] : [`${page}: ${name}`]
  })
}

describe('the written pages', () => {
  it('are found', () => {
    for (const page of ['README.md', 'SECURITY.md', path.join('docs', 'glossary.md')]) assert.ok(pages.includes(page))
  })

  it('link to files and headings that are there', () => {
    assert.deepEqual(
      pages.flatMap((page) => deadLinks(page, readFileSync(path.join(root, page), 'utf8'))),
      [],
    )
  })

  it('name source and test files that are there', () => {
    assert.deepEqual(
      pages.flatMap((page) => missingFiles(page, readFileSync(path.join(root, page), 'utf8'))),
      [],
    )
  })

  it('would be found out', () => {
    assert.deepEqual(deadLinks('README.md', '# A b\n[x](#a-b) [y](#gone) [z](gone.md) [w](https://example.com)'), [
      'README.md: #gone',
      'README.md: gone.md',
    ])
    assert.deepEqual(missingFiles('README.md', '`test/gone.test.ts` `src/main.ts`'), ['README.md: test/gone.test.ts'])
  })
})
