import type { MarkdownIt, Token } from 'markdown-it'
import { escapeHtml } from '../pages/page.ts'
import { anchors } from './anchors.ts'

/** What a page may point at: other pages by their file's name, and pictures. */
export interface Served {
  /** Address by file name: `errors.md` → `/docs/errors`. */
  readonly pages: ReadonlyMap<string, string>
  readonly images: ReadonlySet<string>
}

export interface RenderedGuide {
  readonly title: string
  readonly html: string
}

/** A page of `docs/` as HTML. Links to what is not served lose their target and keep their words. */
export function renderGuide(markdown: MarkdownIt, text: string, served: Served): RenderedGuide {
  // Notes to whoever edits the file; with HTML switched off they would be shown.
  const tokens = markdown.parse(text.replaceAll(/^<!--[^]*?-->$/gm, ''), {})
  const anchorOf = anchors()
  let title = ''
  for (const [index, token] of tokens.entries()) {
    if (token.type === 'heading_open') {
      const words = textOf(tokens[index + 1])
      token.attrSet('id', anchorOf(words))
      if (token.tag === 'h1') title = words
    }
    // A column of figures, by a class: the page's policy takes no style of an element's own.
    if (token.type === 'th_open' || token.type === 'td_open') {
      token.attrs = token.attrGet('style') === 'text-align:right' ? [['class', 'figure']] : null
    }
    if (token.type === 'inline') token.children = (token.children ?? []).map((child) => redirected(child, served))
  }
  return { title, html: markdown.renderer.render(tokens, markdown.options, {}) }
}

/** Renders blocks so that they can be scrolled with a keyboard, and headings with a link to themselves. */
export function addRules(markdown: MarkdownIt): void {
  const { rules } = markdown.renderer
  rules.fence = (tokens, index) => {
    const { info = '', content = '' } = tokens[index] ?? {}
    const language = /^[a-z]+/.exec(info)?.[0]
    return `<pre tabindex="0"${language === undefined ? '' : ` data-language="${language}"`}><code>${escapeHtml(content)}</code></pre>\n`
  }
  rules.table_open = () => '<div class="table" tabindex="0" role="group" aria-label="Table"><table>\n'
  rules.table_close = () => '</table></div>\n'
  rules.heading_close = (tokens, index, options, _env, self) => {
    const opened = tokens[index - 2]
    const id = opened?.tag === 'h1' ? null : opened?.attrGet('id')
    const link = id ? ` <a class="anchor" href="#${id}" aria-label="Link to this section">#</a>` : ''
    return link + self.renderToken(tokens, index, options)
  }
}

/** The words of a heading, without the marks around code and links. */
function textOf(token: Token | undefined): string {
  return (token?.children ?? []).map((child) => child.content).join('')
}

function redirected(token: Token, served: Served): Token {
  if (token.type === 'link_open') {
    const target = addressOf(String(token.attrGet('href') ?? ''), served)
    if (target === undefined) token.attrs = null
    else token.attrSet('href', target)
  }
  if (token.type === 'image') {
    const name = /^images\/([\w.-]+)$/.exec(String(token.attrGet('src') ?? ''))?.[1]
    if (name !== undefined && served.images.has(name)) token.attrSet('src', `/docs/images/${name}`)
  }
  return token
}

function addressOf(href: string, served: Served): string | undefined {
  if (/^(?:https?:|mailto:|#|\/)/.test(href)) return href
  const [file = '', fragment] = href.split('#', 2)
  const address = served.pages.get(file)
  return address === undefined || fragment === undefined ? address : `${address}#${fragment}`
}
