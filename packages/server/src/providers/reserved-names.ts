/**
 * Parameters that this service or the protocol sets by itself. In an address or among the extra parameters they
 * would appear twice or override ours: a fixed `redirect_uri` or `state` undoes the flow's bindings, and another
 * `response_type` or grant is not to be expressible at all (RFC 9700 §2.1.2, §2.4).
 */
export const reservedParameters: ReadonlySet<string> = new Set([
  'access_token',
  'assertion',
  'client_assertion',
  'client_assertion_type',
  'client_id',
  'client_secret',
  'code',
  'code_challenge',
  'code_challenge_method',
  'code_verifier',
  'grant_type',
  'id_token',
  'iss',
  'nonce',
  'password',
  'redirect_uri',
  'refresh_token',
  'request',
  'request_uri',
  'response_type',
  'scope',
  'state',
  'token',
  'username',
])

/** Headers that belong to the connection, to the proxy's own rules or to client authentication. */
export const reservedHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
])
