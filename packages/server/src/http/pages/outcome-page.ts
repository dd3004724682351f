import type { Page } from './page.ts'
import { escapeHtml, scriptJson } from './page.ts'

/** How a popup ended. */
export interface Outcome {
  readonly kind: 'connected' | 'awaiting_completion' | 'failed'
  readonly title: string
  readonly sentence: string
  /** A stable error code, or an id to quote. */
  readonly note?: string
  /** Absent: nobody is told. */
  readonly audience: { readonly sessionId: string; readonly origin: string | undefined } | undefined
}

/**
 * The page a popup ends on: it tells its opener, then closes itself, and says what to do if it cannot.
 *
 * The message goes to the one origin fixed at start, never to `*`, and carries the session, its status and at most the
 * completion code, which the page takes from its own fragment and wipes from the address.
 */
export function outcomePage(outcome: Outcome): Page {
  const mark = { connected: '✓', awaiting_completion: '…', failed: '!' }[outcome.kind]
  const tone = { connected: '', awaiting_completion: ' wait', failed: ' bad' }[outcome.kind]
  const note = outcome.note === undefined ? '' : `<p><code>${escapeHtml(outcome.note)}</code></p>`
  return {
    title: outcome.title,
    body: `<div class="mark${tone}" aria-hidden="true">${mark}</div>
<h1>${escapeHtml(outcome.title)}</h1>
<p role="status">${escapeHtml(outcome.sentence)}</p>
${note}
<button type="button" id="close">Close this window</button>`,
    script: closingScript(outcome),
    keepsOpener: true,
  }
}

function closingScript({ kind, audience }: Outcome): string {
  const message = audience && { source: 'connector-oauth', session_id: audience.sessionId, status: kind }
  return `
document.getElementById('close').addEventListener('click', () => window.close());
const message = ${scriptJson(message ?? null)};
const origin = ${scriptJson(audience?.origin ?? null)};
const fragment = new URLSearchParams(location.hash.slice(1));
if (location.hash) history.replaceState(null, '', location.pathname);
if (message && origin) {
  const code = fragment.get('completion_code');
  const sent = code ? { ...message, completion_code: code } : message;
  if (window.opener) {
    window.opener.postMessage(sent, origin);
    setTimeout(() => window.close(), ${kind === 'failed' ? 4000 : 600});
  }
  if (origin === location.origin) new BroadcastChannel('connector-oauth ' + message.session_id).postMessage(sent);
}
`
}
