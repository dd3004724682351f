import type { MissingAccess } from '../../domain/missing-access.ts'
import type { Language } from '../words/languages.ts'
import { escapeHtml } from './page.ts'

/**
 * The permissions that were not granted, in the words in which the Connect page has them (`review.js`): the catalogue's,
 * those of OpenID Connect for its own, and the name of what neither describes.
 */
export function missingList({ tag, words }: Language, { providerName, scopes }: MissingAccess): string {
  const provider = `<bdi>${escapeHtml(providerName)}</bdi>`
  const items = scopes.map(({ name, description }) => {
    const key = `scope.${name}`
    const own = hasWords(words, key) ? words[key].split('{provider}').map(escapeHtml).join(provider) : undefined
    // The catalogue speaks English.
    const catalogued = description === '' ? undefined : `<span lang="en" dir="ltr">${escapeHtml(description)}</span>`
    const text = tag === 'en' ? (catalogued ?? own) : (own ?? catalogued)
    return `<li>${text ?? `<code dir="ltr">${escapeHtml(name)}</code>`}</li>`
  })
  return `<ul class="left-out">${items.join('')}</ul>`
}

function hasWords(words: Language['words'], key: string): key is keyof Language['words'] {
  return Object.hasOwn(words, key)
}
