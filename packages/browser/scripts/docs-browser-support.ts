/** `node scripts/in-runtime.mjs packages/browser/scripts/docs-browser-support.ts` writes docs/browser-support.md anew. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rows, type Row } from '../test/support/rows.ts'

export const supportPage = fileURLToPath(new URL('../../../docs/browser-support.md', import.meta.url))

const meanings: readonly (readonly [string, string])[] = [
  ['`message`', 'the service’s closing page told your page by message'],
  ['`landing_message`', 'your landing page told your page by message'],
  ['`channel`', 'your landing page told your page over a `BroadcastChannel`'],
  ['`storage`', 'your landing page told your page by a storage event'],
  ['`landing`', 'your landing page completed it'],
  ['`status`', 'your landing page completed it, and your page learned of it by asking for the status'],
]

/** The page as the rows have it; each row is played by a test of the same name. */
export function renderSupportPage(): string {
  const all: readonly Row[] = Object.values(rows)
  const cell = (row: Row, browser: Row['only']): string =>
    row.only === undefined || row.only === browser ? `\`${row.ends}\`` : ''
  const lines = all.map(
    (row) =>
      `| ${row.mode} | ${row.situation} | ${row.landing ? (row.asks ? 'yes, and asks' : 'yes') : 'no'} | ${cell(row, 'chromium')} | ${cell(row, 'firefox')} |`,
  )
  return `# What finishes a connection in the browser

The [browser package](../packages/browser/README.md) has several ways to learn how a window ended, and takes the first that works; \`via\` in its result says which. Each row is played by a test
in the real browser, Chromium and Firefox ESR as Debian has them; an empty cell was not tried there. Safari was not tried.

| Way | What it means |
| --- | --- |
${meanings.map(([name, meaning]) => `| ${name} | ${meaning} |`).join('\n')}

Anything else in the table is the reason with which it was refused, as it should be.

| Mode | Situation | Landing page | Chromium | Firefox |
| --- | --- | --- | --- | --- |
${lines.join('\n')}

Where the landing page *asks*, it cannot tell that this browser began the connection, and completes only once the user has said yes ([why](../packages/browser/README.md#a-landing-page)); in these rows the user does, unless the row says otherwise.
The Connect page without a landing page opens the provider in a second window, so that the provider's policy cuts that one off and not the Connect page; see [the Connect page](connect-page.md).

A row without a landing page that ends as \`expired\` shows what one is for: the provider's policy cuts the window off from your page, and the completion code in it reaches nobody. In a frame with that policy only the
landing page can complete, since the browser keeps the frame's storage and channels apart; it needs a bearer token of its own for that.

Written from \`packages/browser/test/support/rows.ts\` by \`packages/browser/scripts/docs-browser-support.ts\`.
`
}

if (import.meta.main) writeFileSync(supportPage, renderSupportPage())
