import { contentsName } from './shelf.ts'

const links = {
  [`/docs/${contentsName}`]: 'Guides',
  '/docs/start': 'Five-minute start',
  '/docs/embed-plain-js': 'Embed Connect',
  '/docs/production': 'Go to production',
  '/docs/errors': 'Errors',
} as const

/** The bar above the API reference that leads to the guides; the reference keeps clear of it by this height. */
export const referenceBar = `<style>
:root { --scalar-custom-header-height: 44px; }
.guides-bar { position: sticky; top: 0; z-index: 20; box-sizing: border-box; height: 44px; padding: 0 16px; display: flex;
  gap: 4px 20px; align-items: center; overflow-x: auto; white-space: nowrap; background: #1c2430; font: 15px/1.4 system-ui, sans-serif; }
.guides-bar a { padding: 8px 0; color: #fff; text-decoration: underline; }
.guides-bar a:focus-visible { outline: 3px solid #93a5ff; }
</style>
<nav class="guides-bar" aria-label="Guides">${Object.entries(links)
  .map(([href, words]) => `<a href="${href}">${words}</a>`)
  .join(' ')}</nav>`
