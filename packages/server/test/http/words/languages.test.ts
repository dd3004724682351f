import assert from 'node:assert/strict'
import { it } from 'node:test'
import { inkOn } from '../../../src/http/pages/theme.ts'
import { en } from '../../../src/http/words/en.ts'
import { chooseLanguage, languages } from '../../../src/http/words/languages.ts'

const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g))].toSorted()

it('says everything in every language, with the same values put in', () => {
  for (const { tag, words } of languages) {
    assert.deepEqual(Object.keys(words), Object.keys(en), tag)
    for (const [key, text] of Object.entries(words)) {
      assert.ok(text.trim() !== '', `${tag} ${key}`)
      const own = placeholders(text)
      const asked = placeholders(en[key as keyof typeof en])
      assert.deepEqual(own, asked, `${tag} ${key}`)
    }
  }
})

it('chooses by the session’s locale, else by what the browser wants most, else English', () => {
  const chosen = (locale: string | null, header?: string) => chooseLanguage(locale, header).tag
  assert.equal(chosen('de-AT', 'fr'), 'de')
  assert.equal(chosen('xx', 'fr;q=0.5, ja;q=0.9'), 'ja')
  assert.equal(chosen(null, 'zh, es;q=0.1, de;q=0'), 'es')
  assert.equal(chosen(null, 'de;q=0'), 'en')
  assert.equal(chosen(null), 'en')
})

it('writes on every colour in the ink that is easier to read', () => {
  assert.deepEqual(['#ffffff', '#000000', '#3b53c9', '#ffe066'].map(inkOn), ['#000', '#fff', '#fff', '#000'])
})
