import { finishConnect } from '@connector-oauth/browser'

const { baseUrl } = JSON.parse(document.querySelector('[data-settings]').dataset.settings)

const say = (words) => {
  document.getElementById('outcome').textContent = words
}
finishConnect({ baseUrl, getAuthorization: async () => (await fetch('/token')).text() }).then(
  ({ kind }) => say(kind === 'nothing' ? 'Nothing to finish here.' : 'Connected. You can close this window.'),
  (error) => say(`Not connected: ${error.message}`),
)
