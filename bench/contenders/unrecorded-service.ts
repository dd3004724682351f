/** This service without its record of uses: what that costs is what it is faster. */
import { composeFlows, composeServer } from '../../packages/server/src/compose.ts'
import { createLogger } from '../../packages/server/src/log.ts'
import { createReadiness } from '../../packages/server/src/readiness.ts'
import { settle } from '../../packages/server/src/settle.ts'
import { startBackground } from '../../packages/server/src/worker/background.ts'

const { settled: given } = await settle(() => {})
const settled = { ...given, ownProvider: undefined }
const { config } = settled
const logger = createLogger(config.logLevel)
const flows = composeFlows({ ...settled, logger })
const nothing = async (): Promise<void> => {}
const context = { ...flows.context, activity: { note: nothing, flush: nothing, close: nothing } }
const readiness = createReadiness({ ...context, waitsForWork: false })
// The service beside it has migrated the database.
readiness.migrated()
await startBackground(context, flows.jobs, logger)
const app = await composeServer(settled, { ...flows, context }, { logger, readiness, tracer: undefined })
await app.listen({ host: config.host, port: config.port })
