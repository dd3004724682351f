-- How many entries of a tenant's record come before a moment. Positions go with the time but for the seconds that
-- transactions take and clocks differ, so halving finds the place with some two dozen looks; whoever asks leaves minutes of
-- room. Null where an entry that should be looked at is gone: then nothing may be left out.
create function position_before(tenant text, moment timestamptz) returns bigint
language plpgsql stable strict parallel safe as $$
declare
  low bigint := 0;
  high bigint;
  middle bigint;
  found_at timestamptz;
begin
  select last_position + 1 into high from audit_chains where tenant_id = tenant;
  while high - low > 1 loop
    middle := (low + high) / 2;
    select created_at into found_at from audit_entries where tenant_id = tenant and position = middle;
    if found_at is null then
      return null;
    end if;
    if found_at < moment then
      low := middle;
    else
      high := middle;
    end if;
  end loop;
  return low;
end $$;

-- What names begin with, as columns: row-level security lets an index find nothing by a function such as lower(), which
-- might tell of rows that the policy hides.
alter table connectors
  add column display_name_begin text generated always as (lower(left(display_name, 200))) stored,
  add column account_name_begin text generated always as (lower(left(account_name, 200))) stored;
drop index connectors_by_display_name;
drop index connectors_by_account_name;
create index connectors_by_display_name on connectors (tenant_id, display_name_begin collate "C")
  where display_name_begin is not null;
create index connectors_by_account_name on connectors (tenant_id, account_name_begin collate "C")
  where account_name_begin is not null;
