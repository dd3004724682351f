import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  type RouteComponent,
} from '@tanstack/react-router'
import { Shell } from './parts/shell.tsx'
import { NotHere, PageBroke } from './pages/not-here.tsx'

/** Filters and tabs stand in the address, as plain words; what is empty is left out. */
function words<Name extends string>(...names: readonly Name[]) {
  return (search: Record<string, unknown>): { [Key in Name]?: string | undefined } => {
    const found: { [Key in Name]?: string | undefined } = {}
    for (const name of names) {
      const value = search[name]
      if (typeof value === 'string' || typeof value === 'number') found[name] = String(value)
    }
    return found
  }
}

const root = createRootRoute({ component: Shell, notFoundComponent: NotHere, errorComponent: PageBroke })
const at = <Path extends string>(path: Path, component: RouteComponent) =>
  createRoute({ getParentRoute: () => root, path, component, errorComponent: PageBroke })

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: words('hours'),
  component: lazyRouteComponent(() => import('./pages/overview.tsx'), 'Overview'),
})
const connectors = createRoute({
  getParentRoute: () => root,
  path: '/connectors',
  validateSearch: words('q', 'status', 'provider_slug', 'space_id', 'principal_id'),
  component: lazyRouteComponent(() => import('./pages/connectors.tsx'), 'Connectors'),
})
const connector = createRoute({
  getParentRoute: () => root,
  path: '/connectors/$spaceId/$collectionId/$connectorId',
  validateSearch: words('tab'),
  component: lazyRouteComponent(() => import('./pages/connector.tsx'), 'ConnectorPage'),
})
const connectorById = at(
  '/connectors/$connectorId',
  lazyRouteComponent(() => import('./pages/connector-by-id.tsx'), 'ConnectorById'),
)
const killSwitch = at(
  '/connectors/kill-switch',
  lazyRouteComponent(() => import('./pages/kill-switch.tsx'), 'KillSwitch'),
)
const killOrder = at(
  '/connectors/kill-switch/$revocationId',
  lazyRouteComponent(() => import('./pages/kill-order.tsx'), 'KillOrder'),
)
const providers = createRoute({
  getParentRoute: () => root,
  path: '/providers',
  validateSearch: words('q', 'category', 'show'),
  component: lazyRouteComponent(() => import('./pages/providers.tsx'), 'Providers'),
})
const addProvider = at(
  '/providers/add',
  lazyRouteComponent(() => import('./pages/add-provider.tsx'), 'AddProvider'),
)
const provider = at(
  '/providers/$slug',
  lazyRouteComponent(() => import('./pages/provider.tsx'), 'ProviderPage'),
)
const events = createRoute({
  getParentRoute: () => root,
  path: '/events',
  validateSearch: words('category', 'resource_id', 'from', 'to'),
  component: lazyRouteComponent(() => import('./pages/events.tsx'), 'Events'),
})
const webhooks = at(
  '/webhooks',
  lazyRouteComponent(() => import('./pages/webhooks.tsx'), 'Webhooks'),
)
const webhook = createRoute({
  getParentRoute: () => root,
  path: '/webhooks/$webhookId',
  validateSearch: words('status'),
  component: lazyRouteComponent(() => import('./pages/webhook.tsx'), 'WebhookPage'),
})
const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  validateSearch: words('action', 'actor_id', 'resource_id', 'from', 'to'),
  component: lazyRouteComponent(() => import('./pages/audit.tsx'), 'Audit'),
})
const keys = at(
  '/keys',
  lazyRouteComponent(() => import('./pages/keys.tsx'), 'Keys'),
)
const settings = at(
  '/settings',
  lazyRouteComponent(() => import('./pages/settings.tsx'), 'Settings'),
)

const tree = root.addChildren([
  overview,
  connectors,
  connector,
  connectorById,
  killSwitch,
  killOrder,
  providers,
  addProvider,
  provider,
  events,
  webhooks,
  webhook,
  audit,
  keys,
  settings,
])

/** The pages and their addresses; the service answers each of them with this app. */
export function createAppRouter() {
  return createRouter({ routeTree: tree, defaultPreload: 'intent', scrollRestoration: true })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>
  }
}
