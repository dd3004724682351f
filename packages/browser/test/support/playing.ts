import { after, before } from 'node:test'
import type { Browser } from 'puppeteer-core'
import { launch, type BrowserName } from './browsers.ts'
import { setStage, type Stage } from './scene.ts'

/** What all cases of a browser share. */
export interface Playing {
  readonly stage: Stage
  readonly browser: Browser
}

/** Starts the browser, the service and the app once, before the first case, and ends them after the last. */
export function startPlaying(name: BrowserName): () => Promise<Playing> {
  const started = Promise.withResolvers<Playing>()
  // A start that fails is told by the hook.
  started.promise.catch(() => {})
  before(async () => {
    try {
      const [stage, browser] = await Promise.all([setStage(), launch(name)])
      started.resolve({ stage, browser })
    } catch (error) {
      started.reject(error)
      throw error
    }
  })
  after(async () => {
    const { stage, browser } = await started.promise
    await browser.close()
    await stage[Symbol.asyncDispose]()
  })
  return () => started.promise
}
