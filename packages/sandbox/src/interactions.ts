import type { Context, Interaction, Middleware, Provider } from 'oidc-provider'
import { accountOf, readLogin, type SandboxAccount } from './accounts.ts'
import { consentPage, loginPage, problemPage, sendPage } from './pages.ts'
import { readForm } from './request-body.ts'
import { SCOPES } from './scopes.ts'
import type { SandboxStore } from './store.ts'

const STEP_PATH = /^\/interaction\/([A-Za-z0-9_-]+)(\/login|\/consent)?$/

/**
 * The login and consent pages.
 *
 * `GET /interaction/{uid}` shows the step that is due, `?switch=1` the login page in any case;
 * `POST …/login` takes `login`; `POST …/consent` takes `decision` (`allow` or `deny`) and, when `choose` is sent,
 * `scope` once for each optional scope to grant.
 */
export function interactions(provider: Provider, store: SandboxStore): Middleware {
  return async (ctx, next) => {
    const [, uid, form] = STEP_PATH.exec(ctx.path) ?? []
    if (uid === undefined) return next()
    const step = await currentStep(provider, ctx, uid)
    if (step === undefined) return sendPage(ctx, 400, 'Expired', EXPIRED)
    const view = await describe(provider, store, step)

    if (ctx.method === 'GET' && form === undefined) return showStep(ctx, view)
    if (ctx.method === 'POST' && form === '/login') return signIn(provider, store, ctx, view)
    if (ctx.method === 'POST' && form === '/consent') return decide(provider, ctx, view)
    return sendPage(ctx, 405, 'Not here', NOT_HERE)
  }
}

const EXPIRED = problemPage(
  'This step has expired',
  'Close the window and start again in the app. It also happens when the browser refuses cookies.',
)
const NOT_HERE = problemPage('Nothing to see here', 'Close the window and start again in the app.')

interface Step {
  readonly interaction: Interaction
  readonly path: string
  readonly app: string
  readonly account: SandboxAccount | undefined
  readonly requested: readonly string[]
}

async function currentStep(provider: Provider, ctx: Context, uid: string): Promise<Interaction | undefined> {
  try {
    const interaction = await provider.interactionDetails(ctx.req, ctx.res)
    return interaction.uid === uid ? interaction : undefined
  } catch {
    // The library throws for a missing cookie, an expired step and a changed user: all end the same way here.
    return undefined
  }
}

async function describe(provider: Provider, store: SandboxStore, interaction: Interaction): Promise<Step> {
  const client = await provider.Client.find(interaction.params['client_id'] ?? '')
  const login = interaction.session === undefined ? undefined : store.loginOf(interaction.session.accountId)
  return {
    interaction,
    path: `/interaction/${interaction.uid}`,
    app: client?.clientName ?? 'an app',
    account: login === undefined ? undefined : accountOf(login),
    requested: (interaction.params['scope'] ?? '').split(' '),
  }
}

function showStep(ctx: Context, step: Step): void {
  const { account, app, path, requested } = step
  if (step.interaction.prompt.name === 'login' || account === undefined || ctx.query['switch'] !== undefined) {
    return showLogin(ctx, 200, step, step.interaction.params['login_hint'] ?? '', undefined)
  }
  const returnsTo = URL.parse(step.interaction.params['redirect_uri'] ?? '')?.host ?? app
  const content = consentPage({
    action: `${path}/consent`,
    switchAccountHref: `${path}?switch=1`,
    app,
    returnsTo,
    account,
    scopes: SCOPES.filter(({ name }) => requested.includes(name)),
  })
  sendPage(ctx, 200, 'Allow access', content)
}

function showLogin(ctx: Context, status: number, step: Step, login: string, problem: string | undefined): void {
  const content = loginPage({ action: `${step.path}/login`, app: step.app, login, problem })
  sendPage(ctx, status, 'Sign in', content)
}

async function signIn(provider: Provider, store: SandboxStore, ctx: Context, step: Step): Promise<void> {
  const typed = (await readForm(ctx.req)).get('login') ?? ''
  const login = readLogin(typed)
  if (login === undefined) {
    return showLogin(ctx, 400, step, typed.slice(0, 64), 'Use letters, digits and . _ - + @, up to 64 characters.')
  }
  const { subject } = accountOf(login)
  store.rememberLogin(subject, login)
  await switchAccount(provider, step.interaction, subject)
  await finish(provider, ctx, { login: { accountId: subject } })
}

/**
 * Makes the browser's session the new user's before the library sees the login. Left alone it would first end the
 * old session through a page that needs JavaScript, which a test with a cookie jar cannot run.
 */
async function switchAccount(provider: Provider, interaction: Interaction, subject: string): Promise<void> {
  const { session } = interaction
  if (session?.uid === undefined || session.accountId === subject) return
  const browserSession = await provider.Session.findByUid(session.uid)
  if (browserSession === undefined) return
  browserSession.accountId = subject
  browserSession.authorizations = {}
  await browserSession.persist()
  session.accountId = subject
  await interaction.persist()
}

async function decide(provider: Provider, ctx: Context, step: Step): Promise<void> {
  const { account, interaction, requested } = step
  const form = await readForm(ctx.req)
  const decision = form.get('decision')
  if (decision === 'deny') {
    return finish(provider, ctx, { error: 'access_denied', error_description: 'The user did not allow access' })
  }
  if (decision !== 'allow' || account === undefined || interaction.prompt.name !== 'consent') {
    return sendPage(ctx, 400, 'Not here', NOT_HERE)
  }
  const refused = form.has('choose') ? refusedScopes(requested, form.getAll('scope')) : []
  // A grant of its own for each consent: a reused refresh token then kills one connection, not all of the user's.
  const grant = new provider.Grant({
    accountId: account.subject,
    clientId: interaction.params['client_id'] ?? '',
  })
  grant.addOIDCScope(requested.filter((name) => !refused.includes(name)).join(' '))
  if (refused.length > 0) grant.rejectOIDCScope(refused.join(' '))
  await finish(provider, ctx, { consent: { grantId: await grant.save() } })
}

function refusedScopes(requested: readonly string[], ticked: readonly string[]): string[] {
  return SCOPES.filter(({ name, optional }) => optional && requested.includes(name) && !ticked.includes(name)).map(
    ({ name }) => name,
  )
}

async function finish(provider: Provider, ctx: Context, result: Record<string, unknown>): Promise<void> {
  const returnTo = await provider.interactionResult(ctx.req, ctx.res, result, {
    mergeWithLastSubmission: !('error' in result),
  })
  ctx.status = 303
  ctx.redirect(returnTo)
}
