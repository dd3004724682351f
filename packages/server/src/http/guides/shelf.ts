import { readdir, readFile } from 'node:fs/promises'
import type { MarkdownIt } from 'markdown-it'
import { readContents, type Chapter } from './contents.ts'
import { addRules, renderGuide, type RenderedGuide, type Served } from './render-guide.ts'

/** The pages of `docs/`, rendered when they are first asked for. */
export interface Shelf {
  readonly chapters: readonly Chapter[]
  /** Address by file name. */
  readonly addresses: ReadonlyMap<string, string>
  /** `undefined`: there is no such page. */
  page(name: string): Promise<RenderedGuide | undefined>
  image(name: string): Promise<Buffer | undefined>
}

const folder = new URL('../../../../../docs/', import.meta.url)
const contentsFile = 'README.md'

/** The page that lists all others. */
export const contentsName = 'guides'

/** Reads what there is; the names in it are the only ones that are ever opened. */
export async function openShelf(): Promise<Shelf> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.md'))
  const images = new Set((await readdir(new URL('images/', folder))).filter((file) => /\.(?:png|svg)$/.test(file)))
  const nameOf = (file: string) => (file === contentsFile ? contentsName : file.slice(0, -'.md'.length))
  const fileOf = new Map(files.map((file) => [nameOf(file), file]))
  const addresses = new Map(files.map((file) => [file, `/docs/${nameOf(file)}`]))
  const served: Served = { pages: addresses, images }
  const markdown = await createMarkdown()
  const rendered = new Map<string, RenderedGuide>()
  return {
    chapters: readContents(markdown, await readFile(new URL(contentsFile, folder), 'utf8')),
    addresses,
    async page(name) {
      const file = fileOf.get(name)
      if (file === undefined) return undefined
      const guide = rendered.get(name) ?? renderGuide(markdown, await readFile(new URL(file, folder), 'utf8'), served)
      rendered.set(name, guide)
      return guide
    },
    image: async (name) => (images.has(name) ? readFile(new URL(`images/${name}`, folder)) : undefined),
  }
}

/** Loaded when a page is first asked for: most processes of a deployment never are. */
async function createMarkdown(): Promise<MarkdownIt> {
  const { default: createMarkdownIt } = await import('markdown-it')
  const markdown = createMarkdownIt({ html: false, linkify: false, typographer: false })
  addRules(markdown)
  return markdown
}
