-- The kill switch: an order to disconnect every connector that fits a filter. Its receipts are the revocations themselves.

create table mass_revocations (
  tenant_id text not null,
  mass_revocation_id text not null,
  -- The filter; a part that is null narrows nothing.
  provider_slug text,
  space_id uuid,
  connected_before timestamptz,
  connected_after timestamptz,
  principal_id text,
  actor_id text not null,
  -- How many connectors fitted: when ordered, and once swept how many were disconnected.
  matched integer not null,
  began_at timestamptz,
  -- The last connector that was looked at, and whether one before it could not be disconnected yet.
  swept_to text,
  has_left_over boolean not null default false,
  swept_at timestamptz,
  -- When its turn comes: after each portion behind the other orders, later when something could not be disconnected.
  retry_at timestamptz not null,
  created_at timestamptz not null,
  primary key (tenant_id, mass_revocation_id)
);
create index mass_revocations_by_time on mass_revocations (tenant_id, created_at, mass_revocation_id);
create index mass_revocations_unswept on mass_revocations (retry_at) where swept_at is null;

alter table revocations add column mass_revocation_id text;
create index revocations_by_mass_revocation
  on revocations (tenant_id, mass_revocation_id, created_at, revocation_id) include (status, finished_at)
  where mass_revocation_id is not null;

-- When its present credentials came, if that was not at its creation.
alter table connectors add column reconnected_at timestamptz;
create index connectors_connected on connectors (tenant_id, provider_slug, connector_id) where health <> 'disconnected';

alter table mass_revocations enable row level security;
alter table mass_revocations force row level security;
create policy tenant on mass_revocations using (reaches_tenant(tenant_id)) with check (reaches_tenant(tenant_id));
