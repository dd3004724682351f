import type { MarkdownIt } from 'markdown-it'

/** A heading of the table of contents, and the pages below it. */
export interface Chapter {
  readonly title: string
  readonly pages: readonly { readonly title: string; readonly file: string }[]
}

/** The table of contents: the second-level headings of `docs/README.md` and the links in the lists below them. */
export function readContents(markdown: MarkdownIt, readme: string): readonly Chapter[] {
  const chapters: { title: string; pages: { title: string; file: string }[] }[] = []
  const tokens = markdown.parse(readme, {})
  for (const [index, token] of tokens.entries()) {
    if (token.type === 'heading_open' && token.tag === 'h2') {
      chapters.push({ title: tokens[index + 1]?.content ?? '', pages: [] })
    }
    const link = /^\[([^\]]+)\]\(([\w.-]+\.md)\)/.exec(token.type === 'inline' ? token.content : '')
    if (link !== null) chapters.at(-1)?.pages.push({ title: link[1] ?? '', file: link[2] ?? '' })
  }
  return chapters
}
