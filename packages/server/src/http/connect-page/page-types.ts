/**
 * What the modules of the Connect page pass to each other. Browsers run those as they stand, so that types are here and in
 * their comments.
 */
import type { FailureKind } from '../words/failure-kinds.ts'
import type { Words } from '../words/en.ts'

/** What the page is given with its document. */
export interface Config {
  readonly words: Words
  readonly kinds: Readonly<Record<string, FailureKind>>
  readonly mayTryAgain: readonly FailureKind[]
  /** How long a success stays for whoever reads it. */
  readonly readWithinMs: number
}

/** What the service says of the session. */
export interface PageView {
  readonly connect_session_id: string
  readonly mode: 'popup' | 'redirect' | 'link'
  readonly status: string
  readonly error_code: string | null
  readonly attempts_left: number
  readonly origin: string | null
  readonly redirect_uri: string | null
  readonly display: Display
  readonly providers: readonly Provider[]
  readonly attempt: Attempt | null
  readonly missing_scopes: readonly Scope[]
}

export interface Display {
  readonly tenant_name: string | null
  readonly space_name: string | null
  readonly collection_name: string | null
  readonly started_by: string
}

export interface Provider {
  readonly provider_slug: string
  readonly display_name: string
  readonly categories: readonly string[]
  readonly scopes: readonly Scope[]
  readonly setup_complete: boolean
  readonly connected: boolean
  readonly url_variables: readonly UrlVariable[]
}

export interface Scope {
  readonly name: string
  readonly description: string
}

export interface UrlVariable {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly pattern: string
  readonly example: string | null
  readonly default: string | null
  readonly allowed: readonly string[] | null
  readonly per: 'connection' | 'app'
  readonly required: boolean
}

export interface Attempt {
  readonly session_id: string
  readonly provider_slug: string
  readonly status: string
  readonly error_code: string | null
}

/** An attempt that was begun. */
export interface Started {
  readonly session_id: string
  readonly authorize_url: string
}

/** What came back in the fragment, or is told the app. Whatever is absent was not said. */
export interface Outcome {
  readonly session_id: string
  readonly provider?: string | undefined
  readonly status: string
  readonly completion_code?: string | undefined
  readonly error_code?: string | undefined
}

/** Values of a sentence's `{names}`. */
export type Values = Readonly<Record<string, string>>

/** What a button does. Who waits for it is told by the page itself, failures included. */
export type Act = () => void | Promise<void>

export type Listeners = Readonly<Record<string, (event: Event) => unknown>>

/** Attributes of an element, and under `on` its listeners. What is `undefined` or `false` is left out. */
export type Properties = Readonly<Record<string, string | boolean | Listeners | undefined>>
