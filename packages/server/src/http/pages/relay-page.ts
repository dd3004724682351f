import type { Language } from '../words/languages.ts'
import { escapeHtml, type Page } from './page.ts'

/**
 * Sends a provider's cross-site form post on as a same-site one, so that the browser's `SameSite=Lax` cookies come along.
 */
export function relayPage(language: Language, fields: Readonly<Record<string, string>>): Page {
  const { words } = language
  const inputs = Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`)
    .join('\n')
  return {
    language,
    title: words['relay.title'],
    body: `<h1>${escapeHtml(words['relay.title'])}</h1>
<form method="post" action="" id="relay">
${inputs}
<input type="hidden" name="relayed" value="1">
<button type="submit" class="button">${escapeHtml(words.continue)}</button>
</form>`,
    // A field may be called `submit` and hide the form's own.
    script: `HTMLFormElement.prototype.submit.call(document.getElementById('relay'));`,
    hasForm: true,
  }
}
