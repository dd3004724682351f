import type { Language } from '../words/languages.ts'
import type { Page } from './page.ts'
import { escapeHtml, scriptJson } from './page.ts'

/** How a popup ended. */
export interface Outcome {
  readonly language: Language
  readonly kind: 'connected' | 'awaiting_completion' | 'failed'
  readonly title: string
  readonly sentence: string
  /** For whoever is asked for help: a stable error code, perhaps with an id to quote, and what it means. */
  readonly details?: { readonly code: string; readonly text?: string }
  /** Absent: nobody is told. Without an origin only this service's own pages are told, and never a completion code. */
  readonly audience: { readonly sessionId: string; readonly origin: string | undefined } | undefined
  /** The landing page, with what became of it: a tab that was redirected here has no window to close. */
  readonly backTo?: string | undefined
}

/**
 * The page a popup ends on: it tells its opener, then closes itself, and says what to do if it cannot.
 *
 * The message goes to the one origin fixed at start, never to `*`, and carries the session, its status and at most the
 * completion code, which the page takes from its own fragment and wipes from the address.
 */
export function outcomePage(outcome: Outcome): Page {
  const { language } = outcome
  const { words } = language
  const mark = { connected: tick, awaiting_completion: dots, failed: exclamation }[outcome.kind]
  const tone = { connected: '', awaiting_completion: ' wait', failed: ' bad' }[outcome.kind]
  return {
    language,
    title: outcome.title,
    body: `<div class="mark${tone}" aria-hidden="true">${mark}</div>
<h1>${escapeHtml(outcome.title)}</h1>
<p role="${outcome.kind === 'failed' ? 'alert' : 'status'}">${escapeHtml(outcome.sentence)}</p>
${outcome.backTo === undefined ? '' : `<p><a href="${escapeHtml(outcome.backTo)}">${escapeHtml(words.back_to_app)}</a></p>`}
<button type="button" class="button" id="close">${escapeHtml(words.close)}</button>
<p id="stays" role="status" hidden>${escapeHtml(words.stays)}</p>
${detailsOf(outcome)}`,
    script: closingScript(outcome),
    keepsOpener: true,
  }
}

const drawn = (path: string) =>
  `<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" stroke-linejoin="round">${path}</svg>`
const tick = drawn('<path d="m5 12.5 5 5 9-10.5"/>')
const dots = drawn('<path d="M5.5 12h.01M12 12h.01M18.5 12h.01"/>')
const exclamation = drawn('<path d="M12 5v9M12 18.5v.01"/>')

function detailsOf({ details, language }: Outcome): string {
  if (details === undefined) return ''
  const text = details.text === undefined ? '' : `<p lang="en" dir="ltr">${escapeHtml(details.text)}</p>`
  return `<details><summary>${escapeHtml(language.words.details)}</summary>${text}<p><code>${escapeHtml(details.code)}</code></p></details>`
}

/** Long enough to read what went wrong; the opener knows at once. */
const closesAfterMs = { connected: 600, awaiting_completion: 600, failed: 8000 }

function closingScript({ kind, audience }: Outcome): string {
  const message = audience && { source: 'connector-oauth', session_id: audience.sessionId, status: kind }
  return `
const message = ${scriptJson(message ?? null)};
const named = ${scriptJson(audience?.origin ?? null)};
const origin = named ?? location.origin;
const code = new URLSearchParams(location.hash.slice(1)).get('completion_code');
// Neither the completion code nor the provider's answer stays in the address or the history.
if (location.hash || location.search) history.replaceState(null, '', location.pathname);
const close = () => {
  window.close();
  setTimeout(() => { document.getElementById('stays').hidden = false; }, 300);
};
document.getElementById('close').addEventListener('click', close);
if (message) {
  const sent = named && code ? { ...message, completion_code: code } : message;
  if (origin === location.origin) new BroadcastChannel('connector-oauth ' + message.session_id).postMessage(sent);
  if (window.opener) {
    window.opener.postMessage(sent, origin);
    // A window that asks for something stays; so does one whose details are being read.
    const isRead = () => document.querySelector('details')?.open ?? false;
    if (named || ${scriptJson(kind)} === 'connected') setTimeout(() => isRead() || window.close(), ${closesAfterMs[kind]});
  }
}
`
}
