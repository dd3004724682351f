import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** The folder of the workspace. */
export const root = path.join(import.meta.dirname, '../../../../..')

/** A fenced block of a page. */
export interface Snippet {
  readonly page: string
  /** Of its first line of code, for messages. */
  readonly line: number
  readonly language: string
  /** What follows the language: `run` or `shown`. */
  readonly mark: string
  readonly code: string
}

/** Every page whose blocks are held to the rules: guides, the README, and the READMEs of what others install. */
export const pages: readonly string[] = [
  'README.md',
  ...globSync(['docs/*.md', 'packages/{browser,node}/README.md', 'examples/*/README.md'], { cwd: root }).toSorted(),
]

/** A page as it is written. */
export function textOf(page: string): string {
  return readFileSync(path.join(root, page), 'utf8')
}

/** The blocks of a page, in order. */
export function snippetsOf(page: string, text = textOf(page)): readonly Snippet[] {
  return [...text.matchAll(/^```([^\n]*)\n([^]*?)^```$/gm)].map((match) => {
    const [language = '', ...marks] = (match[1] ?? '').split(' ')
    const line = text.slice(0, match.index).split('\n').length + 1
    return { page, line, language, mark: marks.join(' '), code: match[2] ?? '' }
  })
}
