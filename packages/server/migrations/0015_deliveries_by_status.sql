-- What was delivered last, also while hundreds of thousands of deliveries to an endpoint that is down wait in front of it.
-- Each of the three states has its index now, in the order of positions; a list of all merges them. So an event that is fanned
-- out is written to one index fewer.
create index webhook_deliveries_delivered on webhook_deliveries (tenant_id, webhook_id, position)
  where status = 'delivered';
drop index webhook_deliveries_by_position;
