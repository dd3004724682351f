-- What a connection's addresses were filled with, so that its context can be computed again.
alter table transactions add column url_variables jsonb not null default '{}';
alter table connectors add column url_variables jsonb not null default '{}';
alter table revocations add column url_variables jsonb not null default '{}';

-- Until now every value stood with the app. Copied, a connector outlives an administrator who leaves the value to those who connect.
select set_config('connector_oauth.reach', '*', true);
update connectors
set url_variables = provider_apps.url_variables
from provider_apps
where provider_apps.tenant_id = connectors.tenant_id and provider_apps.provider_slug = connectors.provider_slug
  and provider_apps.url_variables <> '{}';
update revocations
set url_variables = provider_apps.url_variables
from provider_apps
where provider_apps.tenant_id = revocations.tenant_id and provider_apps.provider_slug = revocations.provider_slug
  and provider_apps.url_variables <> '{}' and status = 'queued';
update transactions
set url_variables = provider_apps.url_variables
from provider_apps
where provider_apps.tenant_id = transactions.tenant_id and provider_apps.provider_slug = transactions.provider_slug
  and provider_apps.url_variables <> '{}' and status in ('created', 'started', 'parked');
