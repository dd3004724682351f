import { escapeHtml } from '../pages/page.ts'
import type { RenderedGuide } from './render-guide.ts'
import { contentsName, type Shelf } from './shelf.ts'

/** One page of the guides, with the way to all others beside it. */
export function guidePage(shelf: Shelf, name: string, guide: RenderedGuide): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/guides.css">
<title>${escapeHtml(guide.title)} · connector-oauth</title>
</head>
<body>
<a class="skip" href="#content">Skip to the page</a>
<header><a class="brand" href="/docs/${contentsName}">connector-oauth</a>
<nav aria-label="Main"><a href="/docs/${contentsName}">Guides</a> <a href="/docs/">API reference</a></nav></header>
<div class="columns">
<main id="content" tabindex="-1">
${guide.html}</main>
<nav class="contents" aria-label="Guides">
${contents(shelf, name)}
</nav>
</div>
<script type="module" src="/docs/guides.js"></script>
</body>
</html>
`
}

function contents(shelf: Shelf, name: string): string {
  return shelf.chapters
    .map(({ title, pages }) => {
      const items = pages.map((page) => {
        const address = shelf.addresses.get(page.file) ?? ''
        const isThis = address === `/docs/${name}`
        return `<li><a href="${address}"${isThis ? ' aria-current="page"' : ''}>${escapeHtml(page.title)}</a></li>`
      })
      return `<h2>${escapeHtml(title)}</h2>\n<ul>${items.join('')}</ul>`
    })
    .join('\n')
}
