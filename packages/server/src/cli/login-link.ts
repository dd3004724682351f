import { defineCommand } from 'citty'

export const loginLinkCommand = defineCommand({
  meta: { name: 'login-link', description: 'Print a one-time link that signs in to the dashboard' },
  args: {
    sub: { type: 'string', default: 'developer', description: 'Whom it signs in' },
    tenant: { type: 'string', description: 'The tenant; default: AUTH_DEFAULT_TENANT' },
    scope: { type: 'string', description: 'Rights, separated by spaces; default: all' },
  },
  async run({ args }) {
    const { settle } = await import('../settle.ts')
    const { composeFlows } = await import('../compose.ts')
    const { SettingsError } = await import('../config.ts')
    const { makeLoginLink } = await import('../domain/login-link.ts')
    const { rights } = await import('../domain/principal.ts')
    const settlement = await settle((message) => console.error(message))
    const { config } = settlement.settled
    const tenantId = args.tenant ?? config.auth.defaultTenant
    const flows = composeFlows({ ...settlement.settled, ownProvider: undefined })
    try {
      if (settlement.settled.jwtSecret === undefined) {
        throw new SettingsError(['AUTH_JWKS_URL: tokens of this set-up are signed elsewhere, so no link can sign in'])
      }
      if (tenantId === undefined) throw new SettingsError(['AUTH_DEFAULT_TENANT: unset; name the tenant with --tenant'])
      const scope = args.scope ?? rights.join(' ')
      const link = await makeLoginLink(flows.context, { tenantId, subject: args.sub, scope })
      console.log(link.reveal())
    } finally {
      await flows.close()
      await settlement.stopDatabase()
    }
  },
})
