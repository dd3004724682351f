-- What the dashboard counts and lists of a tenant with a million connectors and ten million events.

-- Connectors by provider and status. A row says by how many more (or fewer) there are, so that nobody waits for anybody
-- else's row; a background routine adds rows up into one for each provider and status.
create table connector_counts (
  tenant_id text not null,
  count_id bigint generated always as identity,
  provider_slug text not null,
  status text not null,
  connectors bigint not null,
  is_sum boolean not null default false,
  primary key (tenant_id, count_id)
);
create index connector_counts_to_add_up on connector_counts (tenant_id) where not is_sum;

create function count_connector() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' then
    insert into connector_counts (tenant_id, provider_slug, status, connectors)
    values (old.tenant_id, old.provider_slug, old.status, -1);
  end if;
  if tg_op <> 'DELETE' then
    insert into connector_counts (tenant_id, provider_slug, status, connectors)
    values (new.tenant_id, new.provider_slug, new.status, 1);
  end if;
  return null;
end $$;

-- A trigger, because a statement that forgot to count would show nowhere. Refreshes and uses change neither column, and
-- then it is not called.
create trigger count_added after insert or delete on connectors
  for each row execute function count_connector();
create trigger count_changed after update on connectors
  for each row
  when ((old.tenant_id, old.provider_slug, old.status) is distinct from (new.tenant_id, new.provider_slug, new.status))
  execute function count_connector();

-- Events by type in each hour, written by the linker together with their positions.
create table event_counts (
  tenant_id text not null,
  hour timestamptz not null,
  event_type text not null,
  events bigint not null,
  primary key (tenant_id, hour, event_type)
);
create index event_counts_by_hour on event_counts (hour);

do $$
declare t text;
begin
  foreach t in array array['connector_counts', 'event_counts']
  loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy tenant on %I using (reaches_tenant(tenant_id)) with check (reaches_tenant(tenant_id))', t);
  end loop;
end $$;

select set_config('connector_oauth.reach', '*', true);
insert into connector_counts (tenant_id, provider_slug, status, connectors, is_sum)
select tenant_id, provider_slug, status, count(*), true
from connectors
group by tenant_id, provider_slug, status;
insert into event_counts (tenant_id, hour, event_type, events)
select tenant_id, date_trunc('hour', created_at, 'UTC'), event_type,
       sum(case when jsonb_typeof(metadata -> 'count') = 'number' then (metadata -> 'count')::bigint else 1 end)
from events
where position is not null and created_at > now() - interval '32 days'
group by tenant_id, date_trunc('hour', created_at, 'UTC'), event_type;

-- Lists of all of a tenant's connectors, newest first. Each index has provider and status before the time: a list goes
-- over the pairs that there are, some dozens, and reads the newest of each, whatever it is narrowed to.
create index connectors_by_provider on connectors (tenant_id, provider_slug, status, created_at, connector_id);
create index connectors_by_space on connectors
  (tenant_id, space_id, provider_slug, status, created_at, connector_id);
create index connectors_by_principal on connectors
  (tenant_id, principal_subject, provider_slug, status, created_at, connector_id);
create index connectors_by_collection on connectors (tenant_id, collection_id, space_id, created_at, connector_id);
-- What a name or an id begins with. Collation C: there "begins with" is a range.
create index connectors_by_id on connectors (tenant_id, connector_id collate "C");
create index connectors_by_display_name on connectors (tenant_id, lower(left(display_name, 200)) collate "C")
  where display_name is not null;
create index connectors_by_account_name on connectors (tenant_id, lower(left(account_name, 200)) collate "C")
  where account_name is not null;
-- The indexes above and the counts do what these did.
drop index connectors_by_place;
drop index connectors_by_status;

-- Narrowed lists of events and of the record, in the order of positions. Where a time begins in that order is found by
-- halving, without an index of times.
create index events_by_category on events (tenant_id, category, position) where position is not null;
create index events_by_resource_type on events (tenant_id, resource_type, position) where position is not null;
create index events_by_space on events (tenant_id, space_id, position) where position is not null;
drop index events_by_resource;
create index events_by_resource on events (tenant_id, resource_id, position) where position is not null;
drop index events_by_time;
create index audit_entries_by_action on audit_entries (tenant_id, action, position) where position is not null;
create index audit_entries_by_resource_type on audit_entries (tenant_id, resource_type, position)
  where position is not null;
-- Deliveries that were given up are few among millions that were made.
create index webhook_deliveries_dead on webhook_deliveries (tenant_id, webhook_id, position) where status = 'dead';
