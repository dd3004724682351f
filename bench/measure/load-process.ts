/** The other end of `startLoad`: takes loads by IPC and reports how each went. */
import { flowLoad } from './flow-load.ts'
import type { Load, LoadReport } from './load.ts'
import { requestLoad } from './request-load.ts'

process.on('disconnect', () => process.exit())
process.on('message', (message: { readonly load: Load; readonly seconds: number }) => {
  void put(message.load, message.seconds).then(
    (report) => process.send?.(report),
    (error: unknown) => process.send?.({ done: 0, seconds: 0, p50Ms: 0, p99Ms: 0, failure: String(error) }),
  )
})

function put(load: Load, seconds: number): Promise<LoadReport> {
  switch (load.kind) {
    case 'requests':
      return requestLoad(load, seconds)
    case 'flows':
      return flowLoad(load, seconds)
  }
}
