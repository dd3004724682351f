import assert from 'node:assert/strict'
import { it } from 'node:test'
import { problems } from '../../../src/core/problem.ts'
import { en } from '../../../src/http/words/en.ts'
import { failureWords } from '../../../src/http/words/failure-words.ts'

const codes = [...Object.keys(problems), 'invalid_request', 'a_code_of_the_provider', 'constructor']

it('says of every problem what to do, in words of a person who clicked a button', () => {
  for (const code of codes) {
    const { title, sentence } = failureWords(en, code)
    assert.doesNotMatch(
      `${title} ${sentence}`,
      /bearer|token|ticket|parameter|header|redirect|origin|state\b|scope|_/i,
      code,
    )
    assert.match(sentence, /window|app|close it/i, code)
    assert.ok(title.length <= 40, `${code}: ${title}`)
  }
})
