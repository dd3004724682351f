import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { requestLoad } from '../../../../bench/measure/request-load.ts'
import { pairedRatios, spreadOf } from '../../../../bench/measure/statistics.ts'
import { withMeasured } from '../../../../bench/report/write.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../../../', import.meta.url))

describe('the bench', () => {
  it('measures a token read beside its contender', async () => {
    // How fast either was says nothing on a machine that runs other tests.
    const { stdout } = await run(process.execPath, ['bench/run.ts', 'token-read', '--quick'], { cwd: root })
    assert.match(stdout, /^\| \*\*connector-oauth\*\* +\| \d/m)
    assert.match(stdout, /^\| Fastify \+ select +\| \d+ \(\d+–\d+\) +\| \d+\.\d\d \(/m)
  })

  it('fails when an answer is wrong, however fast it came', async () => {
    let answers = 0
    const server = createServer((_request, response) => {
      answers += 1
      response.writeHead(answers === 5 ? 500 : 200).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = server.address() as AddressInfo
      const requests = [{ method: 'GET' as const, path: '/', headers: {} }]
      const url = `http://127.0.0.1:${port}`
      const report = await requestLoad({ kind: 'requests', url, connections: 2, requests }, 1)
      assert.match(report.failure ?? '', /^1 answers were no 2xx/)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  it('compares figures of the same round only', () => {
    assert.deepEqual(pairedRatios([10, 30], [20, 30]), [0.5, 1])
    assert.throws(() => pairedRatios([10], [20, 30]))
    assert.deepEqual(spreadOf([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 })
    assert.throws(() => spreadOf([]))
  })

  it('replaces the generated part of its page and nothing else', () => {
    const page = 'before <!-- measured by npm run bench: begin --> old <!-- measured by npm run bench: end --> after'
    const changed = withMeasured(page, 'new')
    assert.match(changed, /^before .*begin -->\n\nnew\n\n<!-- .*end --> after$/s)
    assert.throws(() => withMeasured('a page without marks', 'new'))
  })
})
