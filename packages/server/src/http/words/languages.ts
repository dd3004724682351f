import { ar } from './ar.ts'
import { de } from './de.ts'
import { en, type Words } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'
import { ja } from './ja.ts'

/** A language of the pages, and which way it is written. */
export interface Language {
  readonly tag: string
  readonly direction: 'ltr' | 'rtl'
  readonly words: Words
}

const english: Language = { tag: 'en', direction: 'ltr', words: en }

export const languages: readonly Language[] = [
  english,
  { tag: 'de', direction: 'ltr', words: de },
  { tag: 'fr', direction: 'ltr', words: fr },
  { tag: 'es', direction: 'ltr', words: es },
  { tag: 'ja', direction: 'ltr', words: ja },
  { tag: 'ar', direction: 'rtl', words: ar },
]

/** The language of the pages for a locale (`de-AT`), else for an `Accept-Language` header (RFC 9110 §12.5.4), else English. */
export function chooseLanguage(locale: string | null, acceptLanguage: string | undefined): Language {
  const wanted = [...(locale === null ? [] : [locale]), ...ranges(acceptLanguage ?? '')]
  for (const tag of wanted) {
    const primary = tag.split(/[-_]/, 1)[0]?.toLowerCase()
    const found = languages.find((language) => language.tag === primary)
    if (found !== undefined) return found
  }
  return english
}

/** The header's language tags, the most wanted first; those with a weight of zero are unwanted. */
function ranges(header: string): readonly string[] {
  return header
    .split(',')
    .slice(0, 20)
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().split(/\s*;\s*/)
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
      return { tag, weight: weight === undefined ? 1 : Number(weight) }
    })
    .filter(({ weight }) => weight > 0)
    .toSorted((one, other) => other.weight - one.weight)
    .map(({ tag }) => tag)
}
