/** A stretch of work that a trace shows. */
export type StepName = 'exchange' | 'refresh' | 'revoke' | 'proxy' | 'work' | 'provider request'

/** Words and numbers of a bounded kind: never a URL, a query, a header or a body. */
export type StepAttributes = Readonly<Record<string, string | number>>

/** A request that came in, from its first byte to its last. */
export interface RequestTrace {
  /** 32 hex digits. */
  readonly traceId: string
  /** Runs `work`, and what follows from it, as part of the request. */
  run(work: () => void): void
  end(outcome: { readonly route: string; readonly method: string; readonly status: number }): void
}

/** Writes traces, where they are on. Never throws, never waits. */
export interface Tracer {
  /** Runs `work` as a step of what is under way. `tell` adds what is known only later. A failure marks the step. */
  readonly step: <T>(
    name: StepName,
    attributes: StepAttributes,
    work: (tell: (attributes: StepAttributes) => void) => Promise<T>,
  ) => Promise<T>
  /** Begins a request's trace; `parent` is a valid `traceparent` of a caller who may set it (W3C Trace Context §3.2). */
  request(parent: string | undefined): RequestTrace
}

/** The step that runs without leaving a trace. */
export const untraced: Tracer['step'] = (_name, _attributes, work) => work(() => {})
