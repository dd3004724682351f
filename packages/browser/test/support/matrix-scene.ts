import type { Browser } from 'puppeteer-core'
import type { Person, Stage } from './scene.ts'

/** What a case of the matrix plays with. */
export interface Scene {
  readonly stage: Stage
  readonly browser: Browser
  readonly person: Person
  /** The landing page, where the row has one. */
  readonly more: { readonly landingPage?: string }
  /** Whether the landing page asks, which the user then answers with yes. */
  readonly asks: boolean
}

/** Plays with provider's pages that cut their window off from its opener. */
export async function severing<Value>({ stage }: Scene, work: () => Promise<Value>): Promise<Value> {
  stage.service.sandbox.behave({ seversOpener: true })
  try {
    return await work()
  } finally {
    stage.service.sandbox.behave({ seversOpener: false })
  }
}
