import { failureKind } from './failure-kinds.ts'
import type { Words } from './en.ts'

/**
 * What a page says of an error code, also of one of a provider's own. The API's sentence for the same code is written for
 * whoever builds the app, and stands in the page's details.
 */
export function failureWords(words: Words, code: string): { readonly title: string; readonly sentence: string } {
  const kind = failureKind(code)
  const sentence = `${words[`failure.${kind}.text`]} ${words[`failure.${kind}.advice`]}`
  return { title: words[`failure.${kind}.title`], sentence }
}
