import { readFileSync } from 'node:fs'

const files = ['urltestdata.json', 'urltestdata-javascript-only.json']

/** Every input of the web platform's URL test data, each once. */
export const wptInputs: readonly string[] = [
  ...new Set(
    files.flatMap((file) => {
      // Comments stand between the cases as texts.
      const cases = JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as readonly (
        | string
        | { readonly input: string }
      )[]
      return cases.flatMap((each) => (typeof each === 'string' ? [] : [each.input]))
    }),
  ),
]
