/**
 * Loaded into the process of each test file: one that leaves something open after its last test is ended, instead of holding up the
 * run. Node.js's own `--test-force-exit` ends every process at once, with results that were not reported yet.
 */
import { after } from 'node:test'

/** The file's own hooks come after this one, and may have a service and its database to end. */
const patienceMs = 20_000

if (process.env.NODE_TEST_CONTEXT !== undefined) {
  after(() => {
    setTimeout(() => {
      console.error(`${process.argv[1]} left something open: ${process.getActiveResourcesInfo().join(', ')}`)
      process.exit()
    }, patienceMs).unref()
  })
}
