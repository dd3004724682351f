-- Every table begins with tenant_id and is keyed by it. Row-level security stands behind the where clauses:
-- a connection sees the rows of the tenant it has declared (`=<tenant>`), or all (`*`, named system statements only).

create function reaches_tenant(tenant text) returns boolean
  language sql stable parallel safe
  return current_setting('connector_oauth.reach', true) in ('*', '=' || tenant);

create table data_keys (
  tenant_id text not null check (length(tenant_id) between 1 and 128),
  epoch integer not null check (epoch > 0),
  key_encryption_key_id text not null,
  wrapped bytea not null,
  created_at timestamptz not null,
  primary key (tenant_id, epoch)
);

create table redirect_uris (
  tenant_id text not null,
  uri text not null,
  kind text not null check (kind in ('landing', 'callback')),
  provider_slug text check ((kind = 'callback') = (provider_slug is not null)),
  primary key (tenant_id, uri)
);

create table custom_providers (
  tenant_id text not null,
  provider_slug text not null,
  definition jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, provider_slug)
);

create table provider_apps (
  tenant_id text not null,
  provider_slug text not null,
  client_id text,
  client_secret bytea,
  -- The token endpoint's origin the secret was entered for; a secret never goes to another.
  secret_origin text,
  scopes text[],
  url_variables jsonb not null default '{}',
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, provider_slug)
);

create table transactions (
  tenant_id text not null,
  transaction_id text not null,
  status text not null check (status in ('created', 'started', 'parked', 'exchanging', 'connected', 'failed')),
  error_code text,
  provider_slug text not null,
  context_id text not null,
  principal_issuer text not null,
  principal_subject text not null,
  space_id uuid not null,
  collection_id uuid not null,
  connector_id text not null,
  -- Whether the caller named the connector (then a reconnect in place is meant).
  connector_named boolean not null,
  requested_scopes text[] not null,
  login_hint text,
  allow_account_change boolean not null,
  -- What the caller asked for, to compare a ticket's query with; and what it was resolved to.
  requested_redirect_uri text,
  landing_uri text,
  oauth_redirect_uri text not null,
  origin text,
  caller_context bytea,
  ticket_digest bytea,
  ticket_expires_at timestamptz,
  state_digest bytea,
  verifier bytea,
  nonce bytea,
  browser_digest bytea,
  code bytea,
  completion_digest bytea,
  completion_expires_at timestamptz,
  created_at timestamptz not null,
  started_at timestamptz,
  expires_at timestamptz not null,
  finished_at timestamptz,
  primary key (tenant_id, transaction_id)
);
-- Handles carry 256 random bits, so a plain index does; a unique one could not be spread over shards by tenant.
create index transactions_by_state on transactions (state_digest) where state_digest is not null;
create index transactions_by_ticket on transactions (ticket_digest) where ticket_digest is not null;
create index transactions_pending on transactions (tenant_id, principal_subject, expires_at)
  where status in ('created', 'started', 'parked');
create index transactions_by_id on transactions (transaction_id);
create index transactions_by_expiry on transactions (expires_at);

create table connectors (
  tenant_id text not null,
  connector_id text not null,
  space_id uuid not null,
  collection_id uuid not null,
  provider_slug text not null,
  context_id text not null,
  principal_issuer text not null,
  principal_subject text not null,
  display_name text,
  account_id text,
  account_name text,
  health text not null check (health in ('active', 'degraded', 'reauth_required', 'disconnected')),
  paused boolean not null default false,
  status text not null generated always as
    (case when health = 'disconnected' then health when paused then 'paused' else health end) stored,
  status_reason text,
  requested_scopes text[] not null,
  granted_scopes text[] not null,
  access_token bytea,
  refresh_token bytea,
  token_type text,
  access_token_expires_at timestamptz,
  id_token_subject text,
  kept jsonb not null default '{}',
  -- Grows with every change of credentials; a refresh stores its result only over the version it read.
  version integer not null default 1,
  refresh_fence integer not null default 0,
  refresh_lease_ends_at timestamptz,
  refresh_failures integer not null default 0,
  refresh_retry_at timestamptz,
  last_refreshed_at timestamptz,
  last_used_at timestamptz,
  scope_config jsonb,
  sync_schedule text,
  disconnected_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, connector_id)
);
create index connectors_by_place on connectors (tenant_id, space_id, collection_id, created_at, connector_id);

create table revocations (
  tenant_id text not null,
  revocation_id text not null,
  connector_id text not null,
  provider_slug text not null,
  context_id text not null,
  space_id uuid not null,
  collection_id uuid not null,
  status text not null check (status in ('queued', 'revoked', 'unsupported', 'failed')),
  reason text,
  attempts integer not null default 0,
  access_token bytea,
  refresh_token bytea,
  kept jsonb not null default '{}',
  next_attempt_at timestamptz,
  created_at timestamptz not null,
  finished_at timestamptz,
  primary key (tenant_id, revocation_id)
);
create index revocations_due on revocations (next_attempt_at) where status = 'queued';
create index revocations_by_connector on revocations (tenant_id, connector_id, created_at);

create table events (
  tenant_id text not null,
  event_id text not null,
  category text not null,
  event_type text not null,
  actor_id text,
  resource_type text not null,
  resource_id text not null,
  -- Where the resource lives, for tokens that reach some spaces only.
  space_id uuid,
  collection_id uuid,
  metadata jsonb not null,
  -- The caller's context of a `connector.connected` event, sealed.
  caller_context bytea,
  created_at timestamptz not null,
  primary key (tenant_id, event_id)
);
create index events_by_time on events (tenant_id, created_at, event_id);

create table idempotency_keys (
  tenant_id text not null,
  principal_issuer text not null,
  principal_subject text not null,
  idempotency_key text not null,
  request_digest bytea not null,
  response_status integer not null,
  response_body jsonb not null,
  created_at timestamptz not null,
  primary key (tenant_id, principal_issuer, principal_subject, idempotency_key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);

create table login_links (
  tenant_id text not null,
  code_digest bytea not null,
  subject text not null,
  scope text not null,
  expires_at timestamptz not null,
  primary key (tenant_id, code_digest)
);

do $$
declare t text;
begin
  foreach t in array array['data_keys', 'redirect_uris', 'custom_providers', 'provider_apps', 'transactions',
    'connectors', 'revocations', 'events', 'idempotency_keys', 'login_links']
  loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy tenant on %I using (reaches_tenant(tenant_id)) with check (reaches_tenant(tenant_id))', t);
  end loop;
end $$;
