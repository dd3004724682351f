import { Type, type Static } from 'typebox'

/**
 * What is known of a provider, as data. Field names are those of the HTTP API (custom providers are posted in this
 * form) and of RFC 8414 where it has one, so a definition is the same object in the catalogue, in the
 * database and in the code.
 *
 * Only the authorization code grant can be expressed: there is no field for another `response_type` or grant (RFC 9700 §2.1.2, §2.4).
 */

/** For records as well: one with a pattern for its names leaves names of any other form unjudged. */
const closed = { additionalProperties: false } as const
const slugPattern = '^[a-z0-9]+(-[a-z0-9]+)*$'

/** An https address; `{name}` stands for a URL variable. */
const Url = Type.String({ maxLength: 2048, pattern: '^https?://[^\\s]+$' })
const Parameters = Type.Record(
  Type.String({ pattern: '^[A-Za-z0-9_.\\[\\]-]{1,64}$' }),
  Type.String({ maxLength: 1024 }),
  closed,
)
const Headers = Type.Record(
  Type.String({ pattern: '^[A-Za-z0-9-]{1,64}$' }),
  Type.String({ maxLength: 256, pattern: '^[\\x20-\\x7e]*$' }),
  closed,
)
/** Dotted path into a JSON object: `authed_user.access_token`; a number picks an array element. */
const Path = Type.String({ pattern: '^[A-Za-z0-9_$-]+(\\.[A-Za-z0-9_$-]+)*$', maxLength: 128 })

const ScopeDescription = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 256, pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$' }),
    description: Type.String({ maxLength: 500 }),
  },
  closed,
)

const UrlVariable = Type.Object(
  {
    /** What a form calls it: `Subdomain`. */
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 60 })),
    description: Type.String({ maxLength: 300 }),
    /**
     * Who fills it in. `connection`: whoever connects, where one client serves all customers and the provider itself runs
     * every host that the pattern admits. Default `app`: an administrator, once.
     */
    per: Type.Optional(Type.Enum(['app', 'connection'])),
    /** Anchored regular expression for the value; the URL around it fixes the vendor's domain, or the pattern does. */
    pattern: Type.String({ maxLength: 500, pattern: '^\\^.*\\$$' }),
    example: Type.Optional(Type.String({ maxLength: 200 })),
    default: Type.Optional(Type.String({ maxLength: 200 })),
    allowed: Type.Optional(Type.Array(Type.String({ maxLength: 200 }))),
  },
  closed,
)

/** When a reply that came with HTTP 200 is an error all the same. */
const ReplyErrorRule = Type.Object(
  {
    /** The value looked at. */
    path: Path,
    /** It is a success only with one of these values (or when absent, if `absent_is_success`). */
    success_values: Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
    absent_is_success: Type.Boolean(),
    /** Where the error code stands; default `error`. */
    code_path: Type.Optional(Path),
    /** Provider codes that mean the grant is lost, as `invalid_grant` does. */
    grant_lost_codes: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Number()]))),
    client_rejected_codes: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Number()]))),
  },
  closed,
)

export const ProviderDefinition = Type.Object(
  {
    slug: Type.String({ pattern: slugPattern, maxLength: 64 }),
    display_name: Type.String({ minLength: 1, maxLength: 100 }),
    categories: Type.Array(Type.String({ pattern: slugPattern })),
    /** The provider whose endpoints this product shares. */
    variant_of: Type.Optional(Type.String({ pattern: slugPattern })),
    docs_url: Type.Optional(Url),
    /** What an operator must know before registering the provider app; a sentence each. */
    setup_notes: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 300 }), { maxItems: 6 })),
    /** Set on entries reviewed by hand, against the provider's documentation as far as it could be read: the date, `YYYY-MM-DD`. */
    checked_on: Type.Optional(Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' })),

    // Endpoints
    authorization_url: Url,
    token_url: Url,
    /** Only where it differs from `token_url`. */
    refresh_url: Type.Optional(Url),
    userinfo_url: Type.Optional(Url),
    revocation_url: Type.Optional(Url),
    /** OpenID Connect or RFC 8414 issuer, compared as an exact string. */
    issuer: Type.Optional(Url),
    /** Anchored pattern that an ID token's `iss` must match instead of `issuer`, where one address serves many tenants (Microsoft's `common`). */
    issuer_pattern: Type.Optional(Type.String({ maxLength: 500, pattern: '^\\^https.*\\$$' })),
    jwks_uri: Type.Optional(Url),
    /** RFC 9207: the provider promises `iss` on every authorization response. */
    authorization_response_iss_parameter_supported: Type.Optional(Type.Boolean()),
    id_token_signing_alg_values_supported: Type.Optional(Type.Array(Type.String())),
    /** `https://…`, or `{name}` alone where the whole base comes from the token reply (then `api_base_url_pattern` is required). */
    api_base_url: Type.Optional(Type.String({ maxLength: 2048, pattern: '^(https?://|\\{)[^\\s]*$' })),
    /** Anchored pattern for an `api_base_url` that a reply names; matched against the whole address once it is filled in. */
    api_base_url_pattern: Type.Optional(Type.String({ maxLength: 500, pattern: '^\\^https.*\\$$' })),
    url_variables: Type.Optional(Type.Record(Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$' }), UrlVariable, closed)),

    // Scopes
    default_scopes: Type.Array(Type.String({ minLength: 1, maxLength: 256 })),
    /** Scopes worth offering, in plain words. */
    scopes: Type.Optional(Type.Array(ScopeDescription)),
    scope_separator: Type.Optional(Type.String({ minLength: 1, maxLength: 1 })),
    /** Name of the parameter; `null` when scopes are fixed at the provider and none may be sent. */
    scope_parameter: Type.Optional(Type.Union([Type.String({ pattern: '^[a-z_]{1,32}$' }), Type.Null()])),
    /** A second list beside `scope`: scopes that begin with this prefix go to the named parameter, without the prefix. */
    second_scope: Type.Optional(
      Type.Object(
        { parameter: Type.String({ pattern: '^[a-z_]{1,32}$' }), prefix: Type.String({ minLength: 1, maxLength: 16 }) },
        closed,
      ),
    ),
    /** Where the granted scopes stand in the token reply and what joins them; default `scope`, either separator. */
    granted_scope_path: Type.Optional(Path),

    // Authorization request
    extra_authorize_params: Type.Optional(Parameters),
    pkce: Type.Optional(Type.Enum(['S256', 'none'])),
    /** `true` sends an OpenID Connect nonce even without the `openid` scope; `false` sends none, where ID tokens come without it (LinkedIn). */
    nonce: Type.Optional(Type.Boolean()),
    client_id_parameter: Type.Optional(Type.String({ pattern: '^[A-Za-z_]{1,32}$' })),
    client_secret_parameter: Type.Optional(Type.String({ pattern: '^[A-Za-z_]{1,32}$' })),
    redirect_uri_parameter: Type.Optional(Type.String({ pattern: '^[A-Za-z_]{1,32}$' })),
    /** `#…` that must end the authorization URL. */
    authorization_fragment: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_/-]{1,64}$' })),
    /** Omits `response_type` where the provider refuses it. */
    response_type_omitted: Type.Optional(Type.Boolean()),

    // Callback
    /** The code's name on the callback, when it is not `code`. */
    code_parameter: Type.Optional(Type.String({ pattern: '^[A-Za-z_]{1,32}$' })),
    /** The code's name in the token request, when it is not `code`. */
    code_request_parameter: Type.Optional(Type.String({ pattern: '^[A-Za-z_]{1,32}$' })),
    /**
     * Further callback parameters to keep with the connector, and what each value must look like. Where the pattern has a
     * capturing group, the captured text is the value: `accounts-server=https://accounts.zoho.eu` keeps `eu`.
     * Kept under the name of the URL variable where there is one, else under the parameter's own name.
     */
    callback_params: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Za-z0-9_-]{1,32}$' }),
        Type.Object(
          {
            pattern: Type.String({ maxLength: 500, pattern: '^\\^.*\\$$' }),
            /** A URL variable this value fills in for the token request and the API. */
            url_variable: Type.Optional(Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$' })),
            /** The callback is refused unless the value equals this URL variable: the shop that answers is the shop asked. */
            equals_url_variable: Type.Optional(Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$' })),
            /** Sends the value along with the token request under this name. */
            token_parameter: Type.Optional(Type.String({ pattern: '^[A-Za-z_]{1,32}$' })),
            /** Sends the kept value along with every refresh request under this name. */
            refresh_parameter: Type.Optional(Type.String({ pattern: '^[A-Za-z_]{1,32}$' })),
          },
          closed,
        ),
        closed,
      ),
    ),
    /** Shopify's way: the callback carries `hmac`, HMAC-SHA256 over the other parameters with the client secret. */
    callback_signature: Type.Optional(Type.Enum(['hmac-sha256-hex-sorted-query'])),

    // Token request
    client_auth: Type.Optional(Type.Enum(['client_secret_post', 'client_secret_basic', 'none'])),
    /** `raw`: id and secret are not form-urlencoded before Base64, against RFC 6749 §2.3.1. */
    basic_encoding: Type.Optional(Type.Enum(['form', 'raw', 'secret_as_user'])),
    /** Only where the refresh request authenticates in another way. */
    refresh_client_auth: Type.Optional(Type.Enum(['client_secret_post', 'client_secret_basic', 'none'])),
    token_request_format: Type.Optional(Type.Enum(['form', 'json', 'query'])),
    /** Only where refresh requests are encoded in another way. */
    refresh_request_format: Type.Optional(Type.Enum(['form', 'json', 'query'])),
    /** `{client_id}` may stand in a value. */
    token_request_headers: Type.Optional(Headers),
    extra_token_params: Type.Optional(Parameters),
    /** Added to refresh requests instead of `extra_token_params`. */
    extra_refresh_params: Type.Optional(Parameters),
    /** Replaces `grant_type` where the provider names its grants otherwise; `null` leaves it out. */
    code_grant_type: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()])),
    refresh_grant_type: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()])),
    /** The refresh token's name in the refresh request; some providers extend the access token itself. */
    refresh_token_parameter: Type.Optional(Type.String({ pattern: '^[A-Za-z_]{1,32}$' })),
    redirect_uri_omitted: Type.Optional(Type.Boolean()),

    /**
     * A second call, right after the code was redeemed, that swaps the short-lived access token for one of weeks
     * (Meta's `fb_exchange_token`). Its reply replaces the first one. Sent as the token request is, by GET where `format` is `query`.
     */
    long_lived_exchange: Type.Optional(
      Type.Object(
        {
          url: Url,
          grant_type: Type.String({ pattern: '^[a-z_]{1,64}$' }),
          /** Name under which the short-lived token goes. */
          token_parameter: Type.String({ pattern: '^[a-z_]{1,32}$' }),
          format: Type.Enum(['form', 'query']),
        },
        closed,
      ),
    ),

    // Token reply
    token_reply_format: Type.Optional(Type.Enum(['json', 'form', 'auto'])),
    /** `access_token`, `refresh_token`, `expires_in`, `token_type`, `id_token`, and anything else to keep: name → path. */
    token_response_paths: Type.Optional(Type.Record(Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$' }), Path, closed)),
    token_reply_error: Type.Optional(ReplyErrorRule),
    /** Absolute expiry instead of `expires_in`. */
    expires_at: Type.Optional(
      Type.Object({ path: Path, unit: Type.Enum(['rfc3339', 'epoch_seconds', 'epoch_milliseconds']) }, closed),
    ),
    /** `expires_in: 0` means that the token does not expire (Mailchimp); elsewhere zero is taken for already expired. */
    expires_in_zero_is_never: Type.Optional(Type.Boolean()),
    /** Seconds a token lives when the reply does not say; absent: it does not expire. */
    assumed_lifetime_seconds: Type.Optional(Type.Integer({ minimum: 60 })),
    /** Other token types than Bearer that the provider gives for bearer tokens, lower case. */
    token_types: Type.Optional(Type.Array(Type.String({ pattern: '^[a-z0-9_ -]{1,64}$' }))),

    // Refresh
    refreshable: Type.Optional(Type.Boolean()),
    /** Whether a refresh brings a new refresh token in place of the old. Absent: a connector's last refresh tells. */
    refresh_rotates: Type.Optional(Type.Boolean()),
    /** Seconds during which the provider still takes a refresh token it has just replaced. */
    refresh_reuse_grace_seconds: Type.Optional(Type.Integer({ minimum: 1 })),
    /** Days without use after which a refresh token dies. */
    refresh_token_idle_days: Type.Optional(Type.Integer({ minimum: 1 })),

    // Revocation
    revocation: Type.Optional(
      Type.Object(
        {
          /** `rfc7009`; `get`/`post`/`delete` with the access token as bearer; `basic_delete_json` (GitHub). */
          style: Type.Enum(['rfc7009', 'bearer_get', 'bearer_post', 'bearer_delete', 'basic_delete_json']),
          /** `{client_id}` may stand in `revocation_url`. */
          token_parameter: Type.Optional(Type.String({ pattern: '^[A-Za-z_]{1,32}$' })),
          /** Body of an `rfc7009` request; default `form`. */
          request_format: Type.Optional(Type.Enum(['form', 'json'])),
        },
        closed,
      ),
    ),

    // Account and API
    /** Where the account's id and name stand; `from` says in which reply. */
    account: Type.Optional(
      Type.Object(
        {
          from: Type.Enum(['userinfo', 'id_token', 'token_reply', 'callback']),
          id: Path,
          name: Type.Optional(Path),
          /** Request for `userinfo`, when it is not a GET with the bearer token. */
          method: Type.Optional(Type.Enum(['GET', 'POST'])),
          body: Type.Optional(Type.String({ maxLength: 2000 })),
        },
        closed,
      ),
    ),
    /** Values to keep from the `userinfo` reply, for `api_base_url` and later calls: name → path. */
    userinfo_response_paths: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$' }), Path, closed),
    ),
    /** How API and userinfo calls carry the token; default `Authorization: Bearer`. */
    api_token: Type.Optional(
      Type.Object(
        {
          in: Type.Enum(['header', 'query']),
          name: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
          prefix: Type.Optional(Type.String({ maxLength: 32 })),
        },
        closed,
      ),
    ),
    /** Sent with every API and userinfo call; `{client_id}` may stand in a value. */
    api_headers: Type.Optional(Headers),
  },
  { ...closed, $id: 'ProviderDefinition' },
)
export type ProviderDefinition = Static<typeof ProviderDefinition>

/** A definition's addresses with every URL variable that is known before the flow filled in, checked and parsed. */
export interface ProviderEndpoints {
  readonly authorizationUrl: string
  readonly tokenUrl: string
  readonly refreshUrl: string
  readonly userinfoUrl: string | undefined
  readonly revocationUrl: string | undefined
  readonly issuer: string | undefined
  readonly jwksUri: string | undefined
  /** May still hold `{name}` of a value that the token reply brings. */
  readonly apiBaseUrl: string | undefined
  /** What the URL variables were filled with, defaults included; a callback value may have to equal one of them. */
  readonly variables?: Readonly<Record<string, string>>
}
