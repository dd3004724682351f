import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fits } from '../../src/core/pattern-match.ts'
import { capturesOf, charactersOf, endingsOf, slowness } from '../../src/providers/pattern-facts.ts'
import { parsePattern, type PatternNode } from '../../src/core/pattern.ts'

const parsed = (pattern: string): PatternNode => {
  const result = parsePattern(pattern)
  assert.equal(result.kind, 'parsed', pattern)
  return result.kind === 'parsed' ? result.node : { kind: 'sequence', items: [] }
}

/** Patterns of the dialect, and texts that are likely to match them. */
const atom = fc.constantFrom('a', '-', '\\.', '[a-c]', '[0-9b-]', '\\d', '(?:a|b)', '(?:\\.com|x)', '[\\]x]')
const times = fc.constantFrom('', '?', '{2}', '{0,3}', '{1,2}')
const pattern = fc
  .array(fc.tuple(atom, times), { minLength: 1, maxLength: 5 })
  .map((parts) => `^${parts.map((part) => part.join('')).join('')}$`)
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'x', '-', '.', '0', '9', ']', 'com'), maxLength: 12 })

describe('the pattern dialect', () => {
  it('is understood by the regular expressions that match with it', () => {
    fc.assert(
      fc.property(
        pattern,
        (source) => parsePattern(source).kind === 'parsed' && new RegExp(source, 'u') instanceof RegExp,
      ),
    )
  })

  it('never lets a character through that it does not report', () => {
    fc.assert(
      fc.property(pattern, text, (source, value) => {
        if (!new RegExp(source, 'u').test(value)) return
        const admitted = charactersOf(parsed(source))
        assert.ok([...value].every((char) => admitted.has(char)))
      }),
      { numRuns: 5000 },
    )
  })

  it('never lets a text through that has none of the endings it reports', () => {
    fc.assert(
      fc.property(pattern, text, (source, value) => {
        if (!new RegExp(source, 'u').test(value)) return
        const endings = endingsOf(parsed(source))
        assert.ok(endings.some((ending) => (ending.whole ? value === ending.text : value.endsWith(ending.text))))
      }),
      { numRuns: 5000 },
    )
  })

  it('matches in an instant what it does not call slow', () => {
    const quick = pattern.filter((source) => slowness(parsed(source)) === undefined)
    fc.assert(
      fc.property(quick, fc.constantFrom('a', 'b', '0', '-'), (source, char) => {
        const started = performance.now()
        new RegExp(source, 'u').test(`${char.repeat(5000)}!`)
        assert.ok(performance.now() - started < 1000)
      }),
      { numRuns: 300 },
    )
  })

  it('is matched without backtracking just as regular expressions match it', () => {
    fc.assert(
      fc.property(pattern, text, (source, value) => {
        assert.equal(fits(parsed(source), value), new RegExp(source, 'u').test(value))
      }),
      { numRuns: 5000 },
    )
    const more: readonly (readonly [string, string])[] = [
      ['^(?:a?){3}b$', 'b'],
      ['^(?:|ab){2,3}$', 'abab'],
      ['^(?:a{2}){2,3}$', 'aaaaa'],
      ['^(?:a{2}){2,3}$', 'aaaaaa'],
      ['^(?:(?:){5}a){2}$', 'aa'],
      ['^$', ''],
    ]
    for (const [source, value] of more) {
      assert.equal(fits(parsed(source), value), new RegExp(source, 'u').test(value), source)
    }
  })

  it('finds the captured part, which is what is kept', () => {
    const [capture] = capturesOf(parsed('^https://accounts\\.zoho\\.(com|com\\.au)$'))
    assert.ok(capture)
    assert.deepEqual(endingsOf(capture), [
      { text: 'com', whole: true },
      { text: 'com.au', whole: true },
    ])
  })

  for (const outside of [
    '^a.$',
    '^a*$',
    '^a+$',
    '^a{2,}$',
    '^(?!a)b$',
    '^(?<n>a)$',
    '^\\w\\b$',
    '^[^a]$',
    '^a|b$',
    '^(a$',
    '^a)$',
    '^[a$',
    '^a{999}$',
    'a$',
    '^a',
    '^a{1,9}?$',
    '^\\u0061$',
  ]) {
    it(`refuses ${outside}`, () => {
      assert.equal(parsePattern(outside).kind, 'refused')
    })
  }
})
