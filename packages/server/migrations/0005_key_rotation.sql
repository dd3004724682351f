-- Rotation of keys. Key-encryption keys belong to the deployment, so their rows stand under the empty tenant, which no
-- tenant can be: only system statements reach them.

create table key_encryption_keys (
  tenant_id text not null check (tenant_id = ''),
  key_id text not null,
  first_used_at timestamptz not null,
  -- When a rotation to this key was ordered last; the newest order counts.
  ordered_at timestamptz,
  -- From then on it opens nothing and wraps nothing.
  retired_at timestamptz,
  primary key (tenant_id, key_id)
);

alter table key_encryption_keys enable row level security;
alter table key_encryption_keys force row level security;
create policy tenant on key_encryption_keys using (reaches_tenant(tenant_id)) with check (reaches_tenant(tenant_id));

-- How many values it sealed, counted in batches, so a little behind.
alter table data_keys add column encryptions bigint not null default 0;
-- Since when no row has needed it; a superseded key is destroyed a while later.
alter table data_keys add column unused_since timestamptz;
-- When a worker last took on to seal anew what it sealed.
alter table data_keys add column claimed_at timestamptz;

select set_config('connector_oauth.reach', '*', true);
insert into key_encryption_keys (tenant_id, key_id, first_used_at)
select '', key_encryption_key_id, min(created_at)
from data_keys
group by key_encryption_key_id;
