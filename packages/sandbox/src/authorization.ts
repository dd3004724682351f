import type { Middleware } from 'oidc-provider'
import { DEFAULT_SCOPE } from './scopes.ts'
import type { Quirk } from './quirks.ts'
import { setPageHeaders } from './pages.ts'

/** For the library's own page, the one that posts a `form_post` response; it adds the hash of its script. */
const FORM_POST_POLICY = "default-src 'none'; script-src; base-uri 'none'; frame-ancestors 'none'"

/**
 * Stands before and after the authorization endpoint: makes requests standard, makes responses peculiar.
 *
 * `offline_access` counts only together with `prompt=consent` (OpenID Connect Core §11); the sandbox adds the
 * prompt itself, so that asking for the scope is enough to get a refresh token.
 */
export function authorization(quirkOf: (clientId: string | undefined) => Quirk): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== '/auth' && !ctx.path.startsWith('/auth/')) return next()
    if (ctx.path === '/auth' && ctx.method === 'GET') {
      const parameters = new URLSearchParams(ctx.querystring)
      standardize(parameters, quirkOf(parameters.get('client_id') ?? undefined))
      ctx.querystring = parameters.toString()
    }
    setPageHeaders(ctx, FORM_POST_POLICY)
    await next()

    const { callback } = quirkOf(ctx.oidc?.client?.clientId)
    const target = ctx.response.get('location')
    const redirectUri = ctx.oidc?.params?.['redirect_uri']
    if (callback === undefined || redirectUri === undefined || !target.startsWith(redirectUri)) return
    const url = new URL(target)
    callback(url.searchParams)
    ctx.set('location', url.href)
  }
}

function standardize(parameters: URLSearchParams, quirk: Quirk): void {
  quirk.authorizationRequest?.(parameters)
  if (!parameters.get('scope')) parameters.set('scope', DEFAULT_SCOPE)
  const prompts = (parameters.get('prompt') ?? '').split(' ').filter((prompt) => prompt !== '')
  const wantsOffline = parameters.get('scope')?.split(' ').includes('offline_access') === true
  if (wantsOffline && !prompts.includes('consent') && !prompts.includes('none')) {
    parameters.set('prompt', [...prompts, 'consent'].join(' '))
  }
}
