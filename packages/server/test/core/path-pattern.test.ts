import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { matchesPath, pathPatternProblem } from '../../src/core/path-pattern.ts'

describe('a path pattern', () => {
  const fits: readonly (readonly [pattern: string, path: string])[] = [
    ['/', '/'],
    ['/v1/items', '/v1/items'],
    ['/v1/items/', '/v1/items/'],
    ['/v1/*/items', '/v1/7/items'],
    ['/v1/*', '/v1/a%20b'],
    ['/v1/a%20b', '/v1/a%20b'],
    ['/v1/items', '/v1/%69tems'],
    ['/v1/50%25', '/v1/50%25'],
    ['/v1/%252A', '/v1/%252A'],
    ['/v1/a;b=c', '/v1/a;b=c'],
    ['/v1/*', '/v1/100%25'],
    ['/v1/*', '/v1/https:%2520'],
    ['/v1/**', '/v1/a;b/c'],
    ['/v1/**', '/v1/a/b/c'],
    ['/v1/**', '/v1/'],
    ['/v1/**', '/v1/a%2Fb'],
    ['/**', '/'],
    ['/**', '/anything/at/all'],
    ['/sites/**', '/sites/https%3A%2F%2Fexample.com%2F/query'],
    ['/v1/(a+)+$', '/v1/(a+)+$'],
  ]
  for (const [pattern, path] of fits) {
    it(`${pattern} fits ${path}`, () => assert.ok(matchesPath(pattern, path)))
  }

  const refuses: readonly (readonly [pattern: string, path: string])[] = [
    ['/', '/a'],
    ['/v1/items', '/v1/items/'],
    ['/v1/items', '/v1/items/7'],
    ['/v1/items/7', '/v1/items'],
    ['/v1/items', '/V1/items'],
    ['/v1/*', '/v1/'],
    ['/v1/*', '/v1'],
    ['/v1/*', '/v1/a/b'],
    ['/v1/*', '/v1/a%2Fb'],
    ['/v1/*', '/v1/a%2fb'],
    ['/v1/*/b', '/v1/a%2Fb'],
    ['/v1/**', '/v2/a'],
    ['/v1/**', '/v1x'],
    ['/v1/**', '/v1%2Fx'],
    ['/v1/*', '/v1/%zz'],
    ['/v1/*', 'v1/a'],
    ['v1/*', 'v1/a'],
    ['/v1/*', '/v1/%ff'],
    ['/v1/*', '/v1/1%252Fadmin'],
    ['/v1/*', '/v1/1%25252fadmin'],
    ['/v1/*', '/v1/1%252Fadmin%25zz'],
    ['/v1/*', '/v1/1%252Fadmin%25ff'],
    ['/v1/*', '/v1/1%25252525252525252Fadmin'],
    ['/v1/*', '/v1/1;x=y'],
    ['/v1/*', '/v1/1%3Bx=y'],
    ['/v1/*/b', '/v1/1%253Bx/b'],
    ['/v1/%2A', '/v1/a'],
    ['/v1/%2A%2A', '/v1/a/b'],
    ['/v1/50%25', '/v1/50'],
  ]
  for (const [pattern, path] of refuses) {
    it(`${pattern} does not fit ${path}`, () => assert.ok(!matchesPath(pattern, path)))
  }

  const malformed = [
    '',
    'v1/*',
    '*',
    '/v1/**/items',
    '/v1/a*',
    '/v1/***',
    '/v1//items',
    '/v1/../items',
    '/v1/%2e%2E/items',
    '/v1/..;/items',
    '/v1/a%2Fb',
    '/v1/%zz',
    '/v1/items?x=1',
    '/v1/items#x',
    '/v1\\items',
    '/v1/a b',
    '/v1/é',
    `/${'a'.repeat(512)}`,
  ]
  for (const pattern of malformed) {
    it(`is not ${JSON.stringify(pattern.slice(0, 40))}, which fits nothing`, () => {
      assert.ok(pathPatternProblem(pattern))
      assert.ok(!matchesPath(pattern, pattern))
    })
  }

  it('fits the very path it spells', () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9_~!$&'()+,=:@-]{1,12}$/)
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), (segments) => {
        const path = `/${segments.join('/')}`
        assert.ok(matchesPath(path, path))
        assert.ok(matchesPath('/**', path))
        assert.ok(matchesPath(`/${segments.map(() => '*').join('/')}`, path))
        assert.ok(!matchesPath(`/${segments.map(() => '*').join('/')}/*`, path))
      }),
    )
  })

  it('never lets an encoded slash count as less than a slash', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z%2F/]{0,20}$/),
        fc.constantFrom('/a/*', '/a/*/b', '/*', '/a/b'),
        (tail, pattern) => {
          const path = `/a/${tail}`
          if (!matchesPath(pattern, path)) return
          assert.ok(matchesPath(pattern, path.replaceAll(/%2f/gi, '/')), path)
        },
      ),
    )
  })
})
