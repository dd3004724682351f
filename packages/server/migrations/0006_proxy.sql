-- The proxy: what may be called through one connector, and what is left of providers' rate limits.

-- {"methods": […], "paths": […]}; null allows everything.
alter table connectors add column proxy_policy jsonb;

-- What one process has learned from a provider's answers, for the others. A row is good until its limit starts anew.
create table rate_budgets (
  tenant_id text not null,
  context_id text not null,
  -- Of one account; empty where the limit turned out to be that of all accounts together.
  connector_id text not null,
  -- The provider's name for the limit, where it has several.
  bucket text not null,
  remaining integer not null,
  resets_at timestamptz not null,
  -- Moves on with every change, so that processes read only what is new to them.
  changed_at timestamptz not null,
  primary key (tenant_id, context_id, connector_id, bucket)
);
create index rate_budgets_by_change on rate_budgets (changed_at);

alter table rate_budgets enable row level security;
alter table rate_budgets force row level security;
create policy tenant on rate_budgets using (reaches_tenant(tenant_id)) with check (reaches_tenant(tenant_id));
