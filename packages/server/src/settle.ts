import { loadConfig, SettingsError, type Config } from './config.ts'
import { developmentSecrets, type DevelopmentSecrets } from './development-secrets.ts'
import { loadCatalog } from './providers/registry.ts'
import type { Settled } from './compose.ts'
import { startEmbeddedPostgres } from './store/embedded-postgres.ts'
import { missingPackages } from './vault/open-keys.ts'

/** Settings with every gap filled that development may leave open, and a database that runs. */
export interface Settlement {
  readonly settled: Omit<Settled, 'ownProvider'>
  readonly secrets: DevelopmentSecrets | undefined
  stopDatabase(): Promise<void>
}

/** The slug of the provider that development brings along, beside the catalogue's. */
const sandboxSlug = 'sandbox'

/** Reads the settings; starts the embedded database where none is named. Throws `SettingsError` and `DataFolderError`. */
export async function settle(log: (message: string) => void): Promise<Settlement> {
  const catalog = loadCatalog()
  const config = loadConfig([...catalog.list().map((definition) => definition.slug), sandboxSlug])
  await requirePackages(config)
  const secrets = config.isProduction ? undefined : await developmentSecrets(config.dataDir)
  const embedded =
    config.databaseUrl === undefined ? await startEmbeddedPostgres({ dataDir: config.dataDir, log }) : undefined
  return {
    settled: {
      config,
      catalog,
      databaseUrl: config.databaseUrl ?? embedded?.databaseUrl ?? '',
      keys: keysOf(config, secrets),
      jwtSecret: config.auth.jwtSecret ?? (config.auth.jwksUrl === undefined ? secrets?.jwtSecret : undefined),
    },
    secrets,
    stopDatabase: async () => embedded?.stop(),
  }
}

async function requirePackages(config: Config): Promise<void> {
  const missing = await missingPackages(config.encryptionKeys)
  if (missing.length === 0) return
  throw new SettingsError(missing.map((name) => `ENCRYPTION_KEYS: needs a package; install it: npm install ${name}`))
}

function keysOf(config: Config, secrets: DevelopmentSecrets | undefined): Config['encryptionKeys'] {
  if (config.encryptionKeys.length > 0 || secrets === undefined) return config.encryptionKeys
  return secrets.encryptionKeys
}
