-- The audit record: every event, and what is no event, in one chain for each tenant. Rows are written in the transaction
-- of their cause and linked a moment later, in one order, by whichever process comes first: nobody waits for a chain.

create table audit_chains (
  tenant_id text not null,
  -- The last linked entry; the chain begins at 1 and the hash of nothing.
  last_position bigint not null default 0,
  last_hash bytea not null,
  -- The last position that a checkpoint was signed for, and when the next is due; null: nothing new to sign.
  signed_position bigint not null default 0,
  checkpoint_due_at timestamptz,
  primary key (tenant_id)
);

create table audit_entries (
  tenant_id text not null,
  -- The event's id where the entry stands for an event.
  entry_id text not null,
  -- The order in which entries were written. Times of several processes, and of one transaction, do not tell: entries of
  -- one connector are written under its row's lock, and so are in order here.
  written bigint generated always as identity,
  action text not null,
  actor_id text,
  resource_type text not null,
  resource_id text not null,
  space_id uuid,
  collection_id uuid,
  metadata jsonb not null,
  -- Whole milliseconds, which is what is hashed.
  created_at timestamptz not null check (extract(microseconds from created_at)::integer % 1000 = 0),
  position bigint,
  hash bytea,
  primary key (tenant_id, entry_id)
);
create index audit_entries_unlinked on audit_entries (tenant_id, written) where position is null;
create index audit_entries_by_position on audit_entries (tenant_id, position) where position is not null;
create index audit_chains_due on audit_chains (checkpoint_due_at) where checkpoint_due_at is not null;

-- The order in which streams and webhooks see events; equal to the audit entry's.
alter table events add column position bigint;
create index events_by_position on events (tenant_id, position) where position is not null;

alter table audit_chains enable row level security;
alter table audit_chains force row level security;
create policy tenant on audit_chains using (reaches_tenant(tenant_id)) with check (reaches_tenant(tenant_id));
alter table audit_entries enable row level security;
alter table audit_entries force row level security;
create policy tenant on audit_entries using (reaches_tenant(tenant_id)) with check (reaches_tenant(tenant_id));

-- What happened before there was a record comes first in it.
select set_config('connector_oauth.reach', '*', true);
insert into audit_entries
  (tenant_id, entry_id, action, actor_id, resource_type, resource_id, space_id, collection_id, metadata, created_at)
select tenant_id, event_id, event_type, actor_id, resource_type, resource_id, space_id, collection_id, metadata,
       date_trunc('milliseconds', created_at)
from events
order by created_at, event_id;
