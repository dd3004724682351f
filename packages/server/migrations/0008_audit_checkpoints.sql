-- Signed checkpoints of the audit chains: what was signed once cannot be rewritten by whoever can write rows.

create table audit_keys (
  tenant_id text not null,
  -- Digest of the public key.
  key_id text not null,
  -- Ed25519, SubjectPublicKeyInfo in Base64.
  public_key text not null,
  -- PKCS #8, sealed.
  private_key bytea not null,
  created_at timestamptz not null,
  primary key (tenant_id, key_id)
);

create table audit_checkpoints (
  tenant_id text not null,
  position bigint not null,
  hash bytea not null,
  created_at timestamptz not null,
  key_id text not null,
  signature text not null,
  primary key (tenant_id, position)
);

alter table audit_keys enable row level security;
alter table audit_keys force row level security;
create policy tenant on audit_keys using (reaches_tenant(tenant_id)) with check (reaches_tenant(tenant_id));
alter table audit_checkpoints enable row level security;
alter table audit_checkpoints force row level security;
create policy tenant on audit_checkpoints using (reaches_tenant(tenant_id)) with check (reaches_tenant(tenant_id));

-- One person's or one thing's part of a long record, in its order.
create index audit_entries_by_actor on audit_entries (tenant_id, actor_id, position) where position is not null;
create index audit_entries_by_resource on audit_entries (tenant_id, resource_id, position) where position is not null;
