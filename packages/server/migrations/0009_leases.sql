-- Leases: short-lived handles with which an agent may call one connector's API through the proxy, within limits.

create table leases (
  tenant_id text not null,
  lease_id text not null,
  connector_id text not null,
  space_id uuid not null,
  collection_id uuid not null,
  principal_issuer text not null,
  principal_subject text not null,
  digest bytea not null,
  methods text[] not null,
  paths text[] not null,
  max_calls integer,
  calls integer not null default 0,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  primary key (tenant_id, lease_id)
);
-- The handle carries 256 random bits; a unique index could not be spread over shards by tenant.
create index leases_by_digest on leases (digest);
create index leases_by_connector on leases (tenant_id, connector_id, created_at, lease_id);
create index leases_by_expiry on leases (expires_at);

alter table leases enable row level security;
alter table leases force row level security;
create policy tenant on leases using (reaches_tenant(tenant_id)) with check (reaches_tenant(tenant_id));

-- Metrics count all connectors by status; from the rows themselves that would read every sealed token.
create index connectors_by_status on connectors (tenant_id, status);
