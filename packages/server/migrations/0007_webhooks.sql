-- Webhooks: endpoints, and what is still to be delivered to each. An endpoint's cursor says up to which position of the
-- tenant's events deliveries were made; the deliveries are the outbox.

create table webhooks (
  tenant_id text not null,
  webhook_id text not null,
  url text not null,
  description text,
  -- Names, or `category.*`; null: all.
  event_types text[],
  enabled boolean not null default true,
  disabled_reason text,
  secret bytea not null,
  previous_secret bytea,
  previous_secret_expires_at timestamptz,
  cursor_position bigint not null,
  -- One process at a time delivers to an endpoint; the fence tells it from one that was too slow.
  claimed_until timestamptz,
  claim_fence integer not null default 0,
  -- Endpoints take turns: the one that waited longest comes first.
  claimed_at timestamptz,
  -- While an endpoint fails, one delivery at a time is tried.
  failing_since timestamptz,
  failures integer not null default 0,
  last_failed_at timestamptz,
  retry_at timestamptz,
  last_delivered_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, webhook_id)
);

create table webhook_deliveries (
  tenant_id text not null,
  webhook_id text not null,
  event_id text not null,
  position bigint not null,
  event_type text not null,
  resource_id text not null,
  status text not null check (status in ('pending', 'delivered', 'dead')),
  attempts integer not null default 0,
  first_attempt_at timestamptz,
  next_attempt_at timestamptz,
  -- The last few: when, how long, the status or the word for what went wrong.
  attempt_log jsonb not null default '[]',
  created_at timestamptz not null,
  finished_at timestamptz,
  primary key (tenant_id, webhook_id, event_id)
);
create index webhook_deliveries_pending on webhook_deliveries (tenant_id, webhook_id, position) where status = 'pending';
create index webhook_deliveries_in_order on webhook_deliveries (tenant_id, webhook_id, resource_id, position)
  where status = 'pending';
create index webhook_deliveries_by_position on webhook_deliveries (tenant_id, webhook_id, position);
create index webhook_deliveries_by_end on webhook_deliveries (finished_at) where finished_at is not null;

create index events_by_resource on events (tenant_id, resource_id, position);

do $$
declare t text;
begin
  foreach t in array array['webhooks', 'webhook_deliveries']
  loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy tenant on %I using (reaches_tenant(tenant_id)) with check (reaches_tenant(tenant_id))', t);
  end loop;
end $$;
