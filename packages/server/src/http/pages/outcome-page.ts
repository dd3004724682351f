import type { MissingAccess } from '../../domain/missing-access.ts'
import type { Language } from '../words/languages.ts'
import type { Page } from './page.ts'
import { missingList } from './missing-list.ts'
import { escapeHtml, scriptJson } from './page.ts'
import { detailsOf, markOf, type Details } from './parts.ts'

/** How a popup ended. */
export interface Outcome {
  readonly language: Language
  readonly kind: 'connected' | 'awaiting_completion' | 'failed'
  readonly title: string
  readonly sentence: string
  readonly details?: Details
  /** Of a connection with less access than was asked for. */
  readonly missing?: MissingAccess | undefined
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
  const { language, missing } = outcome
  const { words } = language
  return {
    language,
    title: outcome.title,
    body: `${markOf(missing === undefined ? outcome.kind : 'partial')}
<h1>${escapeHtml(outcome.title)}</h1>
<p role="${outcome.kind === 'failed' ? 'alert' : 'status'}">${escapeHtml(outcome.sentence)}</p>
${missing === undefined ? '' : `${missingList(language, missing)}<p>${escapeHtml(words['connected.text'])}</p>`}
${outcome.backTo === undefined ? '' : `<p><a href="${escapeHtml(outcome.backTo)}">${escapeHtml(words.back_to_app)}</a></p>`}
<button type="button" class="button" id="close">${escapeHtml(words.close)}</button>
<p id="stays" role="status" hidden>${escapeHtml(words.stays)}</p>
${outcome.details === undefined ? '' : detailsOf(language, outcome.details)}`,
    script: closingScript(outcome),
  }
}

/** How long a success stays for whoever reads it; the opener knows at once. A failure stays until it is closed. */
export const readWithinMs = 2_500

function closingScript({ kind, audience, missing }: Outcome): string {
  // A window with something to read stays.
  const closes =
    (kind === 'connected' && missing === undefined) ||
    (kind === 'awaiting_completion' && audience?.origin !== undefined)
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
    ${closes ? `setTimeout(() => window.close(), ${readWithinMs});` : ''}
  }
}
`
}
