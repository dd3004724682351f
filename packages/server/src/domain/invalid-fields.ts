/** One problem of a request's form, as FastAPI with pydantic 1 reports it. */
export interface FieldProblem {
  /** Begins with `query`, `path`, `header` or `body`. */
  readonly loc: readonly (string | number)[]
  readonly msg: string
  readonly type: string
}

/** A request that is not well-formed, with every problem at once; becomes a 422. */
export class InvalidFields extends Error {
  readonly problems: readonly FieldProblem[]

  constructor(problems: readonly FieldProblem[]) {
    super('The request is not well-formed')
    this.name = 'InvalidFields'
    this.problems = problems
  }
}
