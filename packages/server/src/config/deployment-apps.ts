import { Secret } from '../core/secret.ts'

/** Provider apps that serve every tenant, by slug. */
export type DeploymentApps = ReadonlyMap<string, DeploymentApp>

interface DeploymentApp {
  readonly clientId: string
  readonly clientSecret: Secret | undefined
  readonly scopes: readonly string[] | undefined
  /** Values of the provider's URL variables. */
  readonly variables: Readonly<Record<string, string>>
}

/** Reads the `PROVIDER_<SLUG>_…` variables. */
export function readDeploymentApps(
  env: Readonly<Record<string, string | undefined>>,
  knownSlugs: readonly string[],
  problems: string[],
): DeploymentApps {
  const slugs = new Map(knownSlugs.map((slug) => [slug.toUpperCase().replaceAll('-', '_'), slug]))
  const named = Object.keys(env).flatMap(
    (name) => /^PROVIDER_(.+)_(?:CLIENT_ID|CLIENT_SECRET|SCOPES|URL_VARIABLES)$/.exec(name)?.[1] ?? [],
  )
  const apps = new Map<string, DeploymentApp>()
  for (const name of new Set(named)) {
    const slug = slugs.get(name)
    const clientId = env[`PROVIDER_${name}_CLIENT_ID`]
    const secret = env[`PROVIDER_${name}_CLIENT_SECRET`]
    if (slug === undefined) {
      problems.push(
        `PROVIDER_${name}_CLIENT_ID: the catalogue has no provider of that name; see: connector-oauth providers list`,
      )
    } else if (clientId === undefined) {
      problems.push(`PROVIDER_${name}_CLIENT_ID: required beside the other PROVIDER_${name}_ variables`)
    } else {
      const scopes = env[`PROVIDER_${name}_SCOPES`]?.split(/[ ,]+/).filter((scope) => scope !== '')
      const clientSecret = secret === undefined ? undefined : new Secret(secret)
      const variables = readUrlVariables(`PROVIDER_${name}_URL_VARIABLES`, env, problems)
      apps.set(slug, { clientId, clientSecret, scopes, variables })
    }
  }
  return apps
}

/** `name=value` pairs; the provider's patterns judge the values where they are used. */
function readUrlVariables(
  variable: string,
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): Readonly<Record<string, string>> {
  const pairs = (env[variable] ?? '').split(/[ ,]+/).filter((pair) => pair !== '')
  return Object.fromEntries(
    pairs.flatMap((pair) => {
      const [, name, value] = /^([a-z][a-z0-9_]*)=(.+)$/.exec(pair) ?? []
      if (name !== undefined && value !== undefined) return [[name, value] as const]
      problems.push(`${variable}: ${JSON.stringify(pair)} is not name=value`)
      return []
    }),
  )
}
