/** What is wrong with a provider definition: a stable rule name, the field, and a sentence that says what to do. */
export interface DefinitionProblem {
  readonly rule: DefinitionRule
  /** Where the field stands, as in `['url_variables', 'subdomain', 'pattern']`; empty for the whole definition. */
  readonly path: readonly string[]
  readonly message: string
}

export type DefinitionRule =
  | 'schema'
  | 'https'
  | 'url-shape'
  | 'reserved-parameter'
  | 'reserved-header'
  | 'parameter-clash'
  | 'placeholder'
  | 'fixed-domain'
  | 'pattern-dialect'
  | 'pattern-slow'
  | 'pattern-characters'
  | 'pattern-example'
  | 'consistency'
  | 'connection-variable'
  | 'custom-only'
  | 'catalog'
