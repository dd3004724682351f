/**
 * The contract: schemas of the HTTP API. Validation, types and OpenAPI come from this one source.
 */
import { Type, type Static, type TSchema } from 'typebox'

export const closed = { additionalProperties: false } as const

export const Uuid = Type.String({ format: 'uuid', examples: ['123e4567-e89b-12d3-a456-426614174000'] })
export const ConnectorId = Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', examples: ['conn_abc123'] })
export const ProviderSlug = Type.String({ maxLength: 64, examples: ['google'] })
export const HttpUrl = Type.String({ format: 'http-url', maxLength: 2048 })
/** Visible ASCII without spaces. */
export const visible = (maxLength: number, minLength = 1) =>
  Type.String({ minLength, maxLength, pattern: '^[\\x21-\\x7e]*$' })
/** A schema with its own words for the reference page. */
export const described = <T extends TSchema>(schema: T, description: string): T => ({ ...schema, description })
export const Timestamp = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' })
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** Values for a provider's URL variables, by name; `GET /v1/connector-providers` explains them. */
export const UrlVariables = Type.Record(Type.String(), Type.String({ maxLength: 300 }), {
  maxProperties: 50,
  examples: [{ subdomain: 'acme' }],
})

export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
  cursor: Type.Optional(Type.String({ maxLength: 512 })),
}

/** Lists that follow the order in which things happened can be read from either end. */
export const OrderQuery = {
  order: Type.Optional(
    Type.Enum(['asc', 'desc'], {
      default: 'asc',
      description: '`desc` begins with the newest; a cursor goes on in its own order',
    }),
  ),
}

export const data = <T extends TSchema>(schema: T) => Type.Object({ data: schema })
export const list = <T extends TSchema>(schema: T) =>
  Type.Object({
    data: Type.Array(schema),
    meta: Type.Object({ next_cursor: nullable(Type.String()), has_more: Type.Boolean() }),
  })

/** Every error but 422. */
export const ErrorBody = Type.Object({
  detail: Type.String({ description: 'One sentence that says what to do' }),
  code: Type.String({ description: 'Stable; see the list of errors' }),
  correlation_id: Type.Optional(Type.String({ description: 'On 5xx: quote it to the operator' })),
})

/** 422, as FastAPI with pydantic 1 words it; every problem at once. */
export const ValidationErrorBody = Type.Object({
  detail: Type.Array(
    Type.Object({
      loc: Type.Array(Type.Union([Type.String(), Type.Integer()])),
      msg: Type.String(),
      type: Type.String(),
    }),
  ),
})
export type ValidationErrorBody = Static<typeof ValidationErrorBody>
