-- Which refreshes are due, in the order of their times: contexts in which nothing is due need not be looked at.
create index connectors_due on connectors (next_refresh_at, context_id) where next_refresh_at is not null;
-- Whatever it found, the primary key finds as well.
drop index connectors_connected;

-- An authorization changes its state two or three times within seconds. While no index speaks of the state, PostgreSQL
-- rewrites the row where it stands and touches no index, as long as there is room beside it.
drop index transactions_pending;
create index transactions_unfinished on transactions (tenant_id, principal_subject, expires_at) where finished_at is null;
alter table transactions set (fillfactor = 60);
