-- What keeps a connection alive: what is known of a refresh whose reply never came, and when the next one is due.

alter table connectors
  -- The last time a provider's API refused the token and so made a refresh be forced.
  add column refresh_forced_at timestamptz,
  -- When the present refresh token was first sent without an answer being recorded since, and how often it was.
  add column refresh_sent_at timestamptz,
  add column refresh_unanswered integer not null default 0,
  -- Whether the last refresh brought another refresh token; null before the first.
  add column refresh_rotated boolean,
  -- When the present tokens were granted: by consent, by import or by a refresh.
  add column tokens_granted_at timestamptz,
  -- When the sweep looks at it; null when there is nothing to refresh with.
  add column next_refresh_at timestamptz,
  add constraint refresh_sent check ((refresh_unanswered > 0) = (refresh_sent_at is not null));
create index connectors_due_refresh on connectors (context_id, next_refresh_at) where next_refresh_at is not null;

select set_config('connector_oauth.reach', '*', true);
update connectors set tokens_granted_at = coalesce(last_refreshed_at, created_at);
-- Spread over a day, so that the first sweep meets no herd; it then gives each its own time.
update connectors set next_refresh_at = now() + random() * interval '1 day'
where health in ('active', 'degraded') and refresh_token is not null;
alter table connectors alter column tokens_granted_at set not null;
