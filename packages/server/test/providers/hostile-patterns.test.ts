import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'

const checked = new URL('../../src/providers/check-definition.ts', import.meta.url).href
const nested = (depth: number): string => (depth === 0 ? 'x' : `(?:${nested(depth - 1)}${'(?:a|b)'.repeat(7)}|c)`)

/** What a tenant could post to stop the process, and the rule that answers; `undefined` when nothing is wrong with it. */
const hostile: readonly (readonly [name: string, change: object, rule: string | undefined])[] = [
  ['eight rival repetitions', variable(`^${'[a-z]{0,512}'.repeat(8)}$`), 'pattern-slow'],
  ['repetitions in repetitions', variable('^(?:(?:[a-z]{0,500}[0-9]{0,500}){0,500}){0,500}$'), 'pattern-slow'],
  ['alternatives that are alike', variable(`^${'(?:a|a)'.repeat(70)}$`), 'pattern-example'],
  ['alternatives of which one is empty', variable(`^a${'(?:a|)'.repeat(70)}$`), 'pattern-example'],
  ['long repetitions of nothing', variable(`^${'(?:'.repeat(12)}${'){512}'.repeat(12)}a$`), 'pattern-example'],
  [
    'a base whose endings multiply',
    definition({
      api_base_url: '{base}',
      token_response_paths: { base: 'base' },
      api_base_url_pattern: `^https://${nested(7)}\\.acme\\.com$`,
    }),
    undefined,
  ],
]

describe('a hostile pattern', () => {
  for (const [name, change, rule] of hostile) {
    it(`of ${name} is judged in an instant`, async () => {
      // In a process of its own: a check that hangs cannot be interrupted from within.
      const code = `
        const { checkDefinition } = await import(${JSON.stringify(checked)})
        const started = performance.now()
        const problems = checkDefinition(${JSON.stringify(change)}, { custom: true })
        const tookMs = performance.now() - started
        console.log([tookMs, ...new Set(problems.map((each) => each.rule))].join(' '))`
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
        timeout: 10_000,
        killSignal: 'SIGKILL',
      })
      const [tookMs, ...rules] = stdout.trim().split(' ')
      assert.deepEqual(rules, rule === undefined ? [] : [rule])
      assert.ok(Number(tookMs) < 1000, `${tookMs} ms`)
    })
  }
})

function variable(pattern: string): object {
  const example = `${'a'.repeat(70)}!`
  return definition({ url_variables: { subdomain: { description: 'Subdomain', pattern, example } } })
}

function definition(change: object): object {
  return {
    slug: 'acme',
    display_name: 'Acme',
    categories: ['crm'],
    authorization_url: 'https://acme.example/authorize',
    token_url: 'https://acme.example/token',
    api_base_url: 'https://{subdomain}.acme.example/api',
    default_scopes: ['read'],
    ...change,
  }
}
