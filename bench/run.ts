/**
 * `npm run bench`: measures side by side, one file per question.
 *
 * `-- token-read whole-flow proxy-small proxy-large memory` picks questions; `--quick` only sees that all works; `--rounds=6 --seconds=5`
 * change the plan; `--profile` writes CPU profiles of the service to `bench/results/profiles`. Only a run of all
 * questions that is not quick writes the results and the page.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { memory } from './memory.ts'
import { proxyLarge, proxySmall } from './proxy.ts'
import type { Asking, Comparison } from './question.ts'
import { machine, summarize, type ComparisonResult, type Results } from './report/results.ts'
import { markdown } from './report/table.ts'
import { writeReport } from './report/write.ts'
import { tokenRead } from './token-read.ts'
import { wholeFlow } from './whole-flow.ts'

const comparisons: Readonly<Record<string, (asking: Asking) => Promise<Comparison>>> = {
  'token-read': tokenRead,
  'whole-flow': wholeFlow,
  'proxy-small': proxySmall,
  'proxy-large': proxyLarge,
}
const known = [...Object.keys(comparisons), 'memory']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '5' },
  },
})
const unknown = positionals.filter((name) => !known.includes(name))
if (unknown.length > 0) throw new Error(`No such question: ${unknown.join(', ')}; there are ${known.join(', ')}`)
const chosen = positionals.length === 0 ? known : positionals
const stopping = new AbortController()
// Else temporary folders and the database would stay behind. A second signal ends it as it is.
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => stopping.abort(new Error(`Ended by ${name}`)))
}
const asking: Asking = {
  plan: values.quick
    ? { rounds: 1, seconds: 1, warmUpSeconds: 0 }
    : { rounds: Number(values.rounds), seconds: Number(values.seconds), warmUpSeconds: 4 },
  connections: 64,
  tenants: values.quick ? 4 : 50,
  connectorsEach: values.quick ? 5 : 20,
  profileTo: values.profile ? fileURLToPath(new URL('results/profiles', import.meta.url)) : undefined,
  log: (line) => console.log(line),
  signal: stopping.signal,
}

const answers: ComparisonResult[] = []
let postgresql = ''
for (const [name, ask] of Object.entries(comparisons)) {
  if (!chosen.includes(name)) continue
  console.log(`\n${name}`)
  const comparison = await ask(asking)
  postgresql = comparison.postgresql
  answers.push(summarize(comparison))
}
const results: Results = {
  measuredAt: new Date().toISOString(),
  machine: machine(),
  versions: { node: process.versions.node, postgresql },
  plan: { ...asking.plan, connections: asking.connections },
  comparisons: answers,
  memory: chosen.includes('memory') ? await memory(asking) : { goalMiB: 200, figures: [], skipped: ['not asked for'] },
}
console.log(`\n${markdown(results)}`)
if (chosen.length === known.length && !values.quick) writeReport(results)
