// The first page, over the public API only. The bearer token lives in this tab's session storage and nowhere else.

// One space and collection of its own is all this page shows; a platform brings its own ids.
const spaceId = '123e4567-e89b-12d3-a456-426614174001'
const collectionId = '123e4567-e89b-12d3-a456-426614174000'
const connectorsUrl = `/v1/spaces/${spaceId}/collections/${collectionId}/connectors`
const pollEveryMs = 1000
const popupGraceMs = 3000

const element = (id) => document.getElementById(id)

class ApiError extends Error {
  constructor(status, body) {
    super(typeof body?.detail === 'string' ? body.detail : `The service answered ${status}.`)
    this.status = status
  }
}

async function api(method, url, body) {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${sessionStorage.getItem('token')}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    body: body && JSON.stringify(body),
  })
  const answer = await response.json().catch(() => undefined)
  if (response.status === 401) signOut('You are signed out now: the sign-in lasts eight hours.')
  if (!response.ok) throw new ApiError(response.status, answer)
  return answer
}

async function signIn() {
  const code = new URLSearchParams(location.hash.slice(1)).get('login_code')
  if (!code) return
  history.replaceState(null, '', location.pathname)
  const response = await fetch('/v1/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login_code: code }),
  })
  const answer = await response.json().catch(() => undefined)
  if (response.ok) {
    sessionStorage.setItem('token', answer.data.access_token)
    sessionStorage.setItem('tenant', answer.data.tenant_id)
  } else if (!sessionStorage.getItem('token')) {
    tellSignInProblem(new ApiError(response.status, answer).message)
  }
}

function signOut(reason) {
  attempt.abort()
  sessionStorage.clear()
  tellSignInProblem(reason)
  show()
}

function tellSignInProblem(text) {
  element('sign-in-problem').textContent = text
  element('sign-in-problem').hidden = false
}

function show() {
  const isSignedIn = sessionStorage.getItem('token') !== null
  element('signed-out').hidden = isSignedIn
  element('signed-in').hidden = !isSignedIn
  element('tenant').textContent = sessionStorage.getItem('tenant') ?? ''
}

function tell(text, tone = '') {
  element('result').textContent = text
  element('result').className = `result ${tone}`
  element('result').hidden = false
}

async function showConnectors() {
  const connectors = []
  let cursor = ''
  do {
    const page = await api('GET', `${connectorsUrl}?limit=100${cursor}`)
    connectors.push(...page.data)
    cursor = page.meta.next_cursor ? `&cursor=${page.meta.next_cursor}` : ''
  } while (cursor)
  const shown = connectors.filter((connector) => connector.status !== 'disconnected')
  element('empty').hidden = shown.length > 0
  element('connectors').replaceChildren(...shown.map(connectorItem))
}

function connectorItem(connector) {
  const item = element('connector').content.cloneNode(true)
  const part = (name) => item.querySelector(`.${name}`)
  const name = connector.display_name ?? connector.account.name ?? connector.account.id ?? connector.id
  part('name').textContent = name
  part('disconnect').setAttribute('aria-label', `Disconnect ${name}`)
  part('badge').textContent = connector.status.replaceAll('_', ' ')
  part('badge').classList.add(connector.status)
  part('detail').textContent =
    `${connector.provider_slug} · ${connector.id} · connected ${new Date(connector.created_at).toLocaleString()}`
  part('scopes').textContent = connector.scopes.granted.join(' ')
  part('disconnect').addEventListener('click', (event) => {
    event.currentTarget.disabled = true
    void disconnect(connector)
  })
  return item
}

async function disconnect(connector) {
  try {
    await api('DELETE', `${connectorsUrl}/${connector.id}`)
    tell('Disconnected. The tokens are destroyed here, and the provider is being told.', 'good')
  } catch (error) {
    tell(error.message, 'bad')
  }
  await showConnectors()
  // The button that had the focus is gone.
  element('result').focus()
}

/** The connection being waited for. */
let attempt = new AbortController()

/** Opened empty inside the click, so that no browser takes it for a pop-up nobody asked for; it navigates later. */
async function connect() {
  const popup = window.open('about:blank', '', 'popup,width=520,height=680')
  if (!popup) return tell('The browser blocked the window. Allow pop-ups for this page and try again.', 'bad')
  attempt.abort()
  attempt = new AbortController()
  const { signal } = attempt
  element('connect').disabled = true
  tell('Waiting for your consent in the other window…')
  try {
    const { data: session } = await api('POST', '/v1/connectors/oauth/sandbox/sessions', {
      space_id: spaceId,
      collection_id: collectionId,
      origin: location.origin,
    })
    const outcome = waitForOutcome(session.session_id, popup, signal)
    popup.location.href = session.authorize_url
    const { status, completion_code: completionCode } = await outcome
    if (status === 'awaiting_completion') {
      await api('POST', '/v1/connectors/oauth/sandbox/complete', {
        session_id: session.session_id,
        completion_code: completionCode,
      })
    } else if (status !== 'connected') {
      throw new Error(await explain(session.session_id))
    }
    tell('Connected. The account is listed below.', 'good')
  } catch (error) {
    if (signal.aborted) return
    popup.close()
    tell(error.message, 'bad')
  }
  element('connect').disabled = false
  await showConnectors().catch((error) => tell(error.message, 'bad'))
}

async function explain(sessionId) {
  const answer = await api('GET', `/v1/connectors/oauth/sessions/${sessionId}`)
  if (answer.data.status === 'expired') return 'It took too long. Nothing was connected; try again.'
  if (answer.data.error_code === 'access_denied') return 'You did not allow access. Nothing was connected.'
  return `The account was not connected (${answer.data.error_code}). Try again.`
}

/**
 * The closing page's message, or what the status says of a failure.
 *
 * That the window seems closed is only a hint: a provider's page may cut itself off from its opener and look closed. The
 * person is told and may start again; the outcome still counts when it comes.
 */
function waitForOutcome(sessionId, popup, signal) {
  return new Promise((resolve, reject) => {
    const channel = new BroadcastChannel(`connector-oauth ${sessionId}`)
    let closedAt
    const stop = () => {
      channel.close()
      window.removeEventListener('message', onMessage)
      clearInterval(polling)
    }
    const settle = (outcome) => {
      stop()
      resolve(outcome)
    }
    const onMessage = (event) => {
      if (event.origin !== location.origin) return
      if (event.data?.source !== 'connector-oauth' || event.data.session_id !== sessionId) return
      settle(event.data)
    }
    const polling = setInterval(async () => {
      const answer = await api('GET', `/v1/connectors/oauth/sessions/${sessionId}`).catch(() => undefined)
      const status = answer?.data.status
      if (['connected', 'failed', 'expired'].includes(status)) return settle({ status })
      if (!popup.closed || signal.aborted) return
      closedAt ??= Date.now()
      if (Date.now() - closedAt > popupGraceMs && element('connect').disabled) {
        element('connect').disabled = false
        tell('The window was closed before consent. Nothing was connected; you can try again.', 'bad')
      }
    }, pollEveryMs)
    signal.addEventListener('abort', () => {
      stop()
      reject(signal.reason)
    })
    channel.addEventListener('message', onMessage)
    window.addEventListener('message', onMessage)
  })
}

element('connect').addEventListener('click', () => void connect())
await signIn()
show()
if (sessionStorage.getItem('token')) await showConnectors().catch((error) => tell(error.message, 'bad'))
