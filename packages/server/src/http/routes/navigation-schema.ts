import type { TSchema } from 'typebox'
import { ErrorBody, ValidationErrorBody } from '@connector-oauth/contract/common.ts'
import { ConnectedBody } from '@connector-oauth/contract/oauth.ts'

/** What the reference page shows of the two browser navigations. */
export function navigationSchema(summary: string, params: TSchema, query: TSchema): object {
  return {
    tags: ['OAuth'],
    summary,
    security: [{ bearer: [] }, {}],
    params,
    querystring: query,
    response: { 200: ConnectedBody, 422: ValidationErrorBody, default: ErrorBody },
  }
}
