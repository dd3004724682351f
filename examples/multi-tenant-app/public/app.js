import { connect, ConnectError } from '@connector-oauth/browser'

const { baseUrl, spaceId, collectionId } = JSON.parse(document.querySelector('[data-settings]').dataset.settings)
const problem = document.getElementById('problem')

/** While the user is connecting, or a form is on its way, this page must stay. */
let isBusy = false

/** Opens the popup. Called directly inside a click, or the browser blocks it. */
const connectSandbox = async (connectorId) => {
  isBusy = true
  try {
    await connect({
      baseUrl,
      provider: 'sandbox',
      spaceId,
      collectionId,
      connectorId,
      landingPage: `${location.origin}/connected`,
      getAuthorization: async () => (await fetch('/token')).text(),
    })
    // Not a reload: what the page said of the account before is over.
    location.replace('/')
  } catch (error) {
    isBusy = false
    if (!(error instanceof ConnectError)) throw error
    problem.textContent = `Not connected. ${error.message}`
  }
}

document.getElementById('connect').addEventListener('click', () => void connectSandbox())
for (const button of document.querySelectorAll('[data-reconnect]')) {
  button.addEventListener('click', () => void connectSandbox(button.dataset.reconnect))
}

addEventListener('submit', () => {
  isBusy = true
})
// The backend was told by webhook that something has changed.
new EventSource('/changes').addEventListener('message', () => {
  if (!isBusy) location.reload()
})
