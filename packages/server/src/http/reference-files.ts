import { Worker } from 'node:worker_threads'

/** What the API reference is made of. */
export interface ReferenceFiles {
  readonly page: string
  readonly gzippedScript: Uint8Array<ArrayBuffer>
}

const worker = new URL('render-reference.ts', import.meta.url)
const deadlineMs = 30_000

/** Remembers the files once somebody wanted them; asks again where they could not be had. */
export function rememberedFiles(): () => Promise<ReferenceFiles> {
  let files: Promise<ReferenceFiles> | undefined
  return () => {
    files ??= render().catch((error: unknown) => {
      files = undefined
      throw error
    })
    return files
  }
}

async function render(): Promise<ReferenceFiles> {
  const { promise, resolve, reject } = Promise.withResolvers<ReferenceFiles>()
  // It needs none of this process's settings, some of which are secrets.
  const thread = new Worker(worker, { env: {}, execArgv: [] })
  const timer = setTimeout(() => reject(new Error('The API reference was not rendered in time')), deadlineMs)
  thread.once('message', resolve)
  thread.once('error', reject)
  thread.once('exit', (code) => reject(new Error(`The API reference was not rendered: its thread ended with ${code}`)))
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    await thread.terminate()
  }
}
