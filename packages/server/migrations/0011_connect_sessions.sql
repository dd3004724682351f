-- Connect sessions: what a hosted Connect page may start, for whom and where; and how a tenant's page looks.

create table connect_sessions (
  tenant_id text not null,
  connect_session_id text not null,
  -- The page's token carries 256 random bits; only its digest is kept.
  token_digest bytea not null,
  mode text not null check (mode in ('popup', 'redirect', 'link')),
  principal_issuer text not null,
  principal_subject text not null,
  -- What the starter's bearer allowed; judged again at each start, and the bearer that completes once more.
  rights text[] not null,
  spaces text[],
  collections text[],
  space_id uuid not null,
  collection_id uuid not null,
  -- Absent: every provider that the tenant has set up.
  provider_slugs text[],
  connector_id text,
  redirect_uri text,
  origin text,
  scopes text[],
  allow_account_change boolean not null,
  locale text,
  display jsonb not null,
  attempts integer not null default 0,
  cancelled_at timestamptz,
  connected_at timestamptz,
  connected_connector_id text,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, connect_session_id)
);
-- A plain index does for 256 random bits; a unique one could not be spread over shards by tenant.
create index connect_sessions_by_token on connect_sessions (token_digest);
create index connect_sessions_by_id on connect_sessions (connect_session_id);
create index connect_sessions_live on connect_sessions (tenant_id, principal_subject, expires_at);
create index connect_sessions_by_expiry on connect_sessions (expires_at);

-- An attempt of a connect session is an ordinary transaction.
alter table transactions add column connect_session_id text;
create index transactions_by_connect_session on transactions (tenant_id, connect_session_id, created_at)
  where connect_session_id is not null;

create table tenant_appearance (
  tenant_id text not null,
  display_name text,
  accent text check (accent ~ '^#[0-9a-f]{6}$'),
  radius_px integer check (radius_px between 0 and 24),
  -- A data: image, its content judged before it was stored.
  logo text check (length(logo) <= 66000),
  updated_at timestamptz not null,
  primary key (tenant_id)
);

do $$
declare t text;
begin
  foreach t in array array['connect_sessions', 'tenant_appearance']
  loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy tenant on %I using (reaches_tenant(tenant_id)) with check (reaches_tenant(tenant_id))', t);
  end loop;
end $$;
