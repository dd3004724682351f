import { pathPatternProblem } from '../core/path-pattern.ts'
import { InvalidFields } from '../domain/invalid-fields.ts'

/** Throws 422 that names every text in a list that is no path pattern; `loc` is where the list stands. */
export function requirePatterns(loc: readonly string[], patterns: readonly string[]): void {
  const problems = patterns.flatMap((pattern, index) => {
    const problem = pathPatternProblem(pattern)
    return problem === undefined ? [] : [{ loc: [...loc, index], msg: problem, type: 'value_error' }]
  })
  if (problems.length > 0) throw new InvalidFields(problems)
}
