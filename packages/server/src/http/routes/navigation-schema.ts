import type { TSchema } from 'typebox'
import { ErrorBody, ValidationErrorBody } from '@connector-oauth/contract/common.ts'

/** What the reference page shows of the two browser navigations. */
export function navigationSchema(route: {
  readonly summary: string
  readonly description: string
  readonly params: TSchema
  readonly query: TSchema
  readonly answers: Readonly<Record<number, object>>
}): object {
  return {
    tags: ['OAuth'],
    summary: route.summary,
    description: route.description,
    security: [{ bearer: [] }],
    params: route.params,
    querystring: route.query,
    response: { ...route.answers, 422: ValidationErrorBody, default: ErrorBody },
  }
}
