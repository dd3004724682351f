import { codeToQuote, type ErrorAnswer } from '../errors.ts'
import type { Words } from '../words/en.ts'
import type { Language } from '../words/languages.ts'
import { escapeHtml, type Page } from './page.ts'
import { detailsOf, markOf } from './parts.ts'

/**
 * The page at an address that has none. It repeats nothing of the address.
 *
 * `isApi`: programs are at home there, and nobody needs to look for a typing error.
 */
export function errorPage(language: Language, answer: ErrorAnswer, isApi: boolean): Page {
  const { words } = language
  const { title, sentence, hasStart } = wording(words, answer.status, isApi)
  const start = `<p><a href="/">${escapeHtml(words['page.none.start'])}</a></p>\n`
  return {
    language,
    title,
    body: `${markOf('failed')}
<h1>${escapeHtml(title)}</h1>
<p role="alert">${escapeHtml(sentence)}</p>
${hasStart ? start : ''}${detailsOf(language, { code: codeToQuote(answer), text: answer.detail })}`,
  }
}

interface Wording {
  readonly title: string
  readonly sentence: string
  readonly hasStart?: true
}

function wording(words: Words, status: number, isApi: boolean): Wording {
  if (status >= 500) {
    const sentence = `${words['failure.our_fault.text']} ${words['page.trouble.advice']}`
    return { title: words['page.trouble.title'], sentence }
  }
  if (status === 429) {
    const sentence = `${words['failure.too_many.text']} ${words['failure.too_many.advice']}`
    return { title: words['failure.too_many.title'], sentence }
  }
  if (isApi) return { title: words['page.programs.title'], sentence: words['page.programs.text'] }
  return { title: words['page.none.title'], sentence: words['page.none.text'], hasStart: true }
}
