import assert from 'node:assert/strict'
import { it } from 'node:test'
import { jsonObject, textAt, valueAt } from '../../src/oauth/json-path.ts'

it('follows dots and element numbers through own properties only', () => {
  const document = { a: [{ b: 1 }], 'c-d': { $e: 'x' } }
  assert.equal(valueAt(document, 'a.0.b'), 1)
  assert.equal(valueAt(document, 'c-d.$e'), 'x')
  for (const path of ['constructor', '__proto__', 'a.0.toString', 'a.1.b', 'a.0.b.c']) {
    assert.equal(valueAt(document, path), undefined, path)
  }
})

it('gives text for texts, numbers and booleans of a bounded length', () => {
  const document = { text: 'abc', zero: 0, no: false, empty: '', nothing: null, list: [1] }
  assert.deepEqual(
    ['text', 'zero', 'no', 'empty', 'nothing', 'list'].map((path) => textAt(document, path, 5)),
    ['abc', '0', 'false', undefined, undefined, undefined],
  )
  assert.equal(textAt(document, 'text', 2), undefined)
})

it('leaves out texts that the database cannot store', () => {
  const document: unknown = JSON.parse('{"nul":"a\\u0000b","half":"a\\ud800b","whole":"\\ud83d\\ude00"}')
  assert.deepEqual(
    ['nul', 'half', 'whole'].map((path) => textAt(document, path, 9)),
    [undefined, undefined, '😀'],
  )
})

it('takes objects alone for a JSON object, and does not let one replace its prototype', () => {
  for (const text of ['[]', '1', '"x"', 'null', '', '{']) assert.equal(jsonObject(Buffer.from(text)), undefined, text)
  const parsed = jsonObject(Buffer.from('{"__proto__":{"polluted":true},"a":1}'))
  assert.equal(parsed?.a, 1)
  assert.equal(parsed.polluted, undefined)
})
