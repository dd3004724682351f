import { defineCommand } from 'citty'
import { durationMs } from '../core/duration.ts'
import { UsageError } from './usage-error.ts'

export const tokenCommand = defineCommand({
  meta: { name: 'token', description: 'Print one bearer token and nothing else (set-ups with AUTH_JWT_SECRET)' },
  args: {
    sub: { type: 'string', required: true, description: 'Whom the token stands for' },
    tenant: { type: 'string', required: true, description: 'The tenant' },
    scope: { type: 'string', description: 'Rights, separated by spaces; default: AUTH_DEFAULT_SCOPE' },
    ttl: { type: 'string', default: '15m', description: 'How long it lives: 90s, 15m, 8h, 7d' },
  },
  async run({ args }) {
    const lifeMs = durationMs(args.ttl)
    if (lifeMs === undefined) throw new UsageError('--ttl takes a number and a unit: 90s, 15m, 8h or 7d')
    const { SettingsError, loadConfig } = await import('../config.ts')
    const { loadCatalog } = await import('../providers/registry.ts')
    const { tokenSigner } = await import('../compose.ts')
    const { developmentSecrets } = await import('../development-secrets.ts')
    const config = loadConfig([
      ...loadCatalog()
        .list()
        .map((definition) => definition.slug),
      'sandbox',
    ])
    if (config.auth.jwksUrl !== undefined) {
      throw new SettingsError(['AUTH_JWKS_URL: tokens of this set-up are signed elsewhere; ask your issuer for one'])
    }
    const secret = config.auth.jwtSecret ?? (await developmentSecrets(config.dataDir)).jwtSecret
    const token = await tokenSigner(
      config,
      secret,
    )({
      subject: args.sub,
      tenantId: args.tenant,
      scope: args.scope ?? config.auth.defaultScope,
      expiresAt: new Date(Date.now() + lifeMs),
    })
    process.stdout.write(`${token}\n`)
  },
})
