import type { Language } from '../words/languages.ts'
import { escapeHtml } from './page.ts'

/** What the pages are put together from. */

const drawn = (path: string) =>
  `<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" stroke-linejoin="round">${path}</svg>`
const tick = drawn('<path d="m5 12.5 5 5 9-10.5"/>')
const drawings = {
  connected: { tone: '', drawing: tick },
  partial: { tone: ' warn', drawing: tick },
  awaiting_completion: { tone: ' wait', drawing: drawn('<path d="M5.5 12h.01M12 12h.01M18.5 12h.01"/>') },
  failed: { tone: ' bad', drawing: drawn('<path d="M12 5v9M12 18.5v.01"/>') },
}

/** The sign at the top of a page. */
export function markOf(kind: keyof typeof drawings): string {
  const { tone, drawing } = drawings[kind]
  return `<div class="mark${tone}" aria-hidden="true">${drawing}</div>`
}

/** For whoever is asked for help: a stable error code, perhaps with an id to quote, and what it means. */
export interface Details {
  readonly code: string
  readonly text?: string
}

export function detailsOf(language: Language, details: Details): string {
  const text = details.text === undefined ? '' : `<p lang="en" dir="ltr">${escapeHtml(details.text)}</p>`
  return `<details><summary>${escapeHtml(language.words.details)}</summary>${text}<p><code>${escapeHtml(details.code)}</code></p></details>`
}
