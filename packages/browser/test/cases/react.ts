import assert from 'node:assert/strict'
import path from 'node:path'
import { before, describe, it } from 'node:test'
import type { Page } from 'puppeteer-core'
import { rolldown } from 'rolldown'
import { opened, until, untilClosed } from '../support/browsers.ts'
import { assertConnected, consent, personAt, type Person, type Stage } from '../support/scene.ts'
import type { Playing } from '../support/playing.ts'

const root = path.join(import.meta.dirname, '../../../..')

/** A page in strict mode, with the React of `folder` and the package as it is shipped. */
async function bundle(folder: string): Promise<string> {
  const built = await rolldown({
    input: 'page.js',
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === 'page.js' ? id : null),
        load: (id) => (id === 'page.js' ? source : null),
      },
    ],
    resolve: {
      alias: {
        '@connector-oauth/browser/react': path.join(root, 'packages/browser/dist/react.js'),
        'react-dom': path.join(folder, 'react-dom'),
        react: path.join(folder, 'react'),
      },
    },
    // Only then does strict mode mount everything twice.
    transform: { define: { 'process.env.NODE_ENV': '"development"' } },
    logLevel: 'warn',
  })
  const { output } = await built.generate({ format: 'esm' })
  await built.close()
  return output[0].code
}

const source = `
import { createElement as h, StrictMode, useState, version } from 'react'
import { createRoot } from 'react-dom/client'
import { useConnect } from '@connector-oauth/browser/react'
const { baseUrl, token } = JSON.parse(localStorage.getItem('account'))
const { provider, ...where } = JSON.parse(localStorage.getItem('request'))
window.connects = []
function Connect() {
  const { connect, status, error, connector, reset } = useConnect({ baseUrl, getAuthorization: () => token, ...where })
  window.connects.push(connect)
  return h('div', null,
    h('button', { id: 'connect', onClick: () => connect({ provider }).then((result) => { window.result = result ?? null }) }, 'Connect'),
    h('button', { id: 'reset', onClick: reset }, 'Reset'),
    h('p', { id: 'status' }, status), h('p', { id: 'reason' }, error?.reason), h('p', { id: 'via' }, connector?.via),
    h('p', { id: 'connector' }, connector?.connectorId))
}
function App() {
  const [isShown, setShown] = useState(true)
  return h(StrictMode, null, h('button', { id: 'toggle', onClick: () => setShown(!isShown) }, version), isShown && h(Connect))
}
createRoot(document.getElementById('root')).render(h(App))
`

/** The React bindings, in strict mode, with the oldest and the newest React they are for. */
export function reactCases(playing: () => Promise<Playing>): void {
  let stage: Stage
  let ada: Person

  before(async () => {
    const { stage: played, browser } = await playing()
    stage = played
    for (const [name, folder] of [
      ['react-18', path.join(root, 'fixtures/react-18/node_modules')],
      ['react-19', path.join(root, 'node_modules')],
    ] as const) {
      stage.app.addPage(name, await bundle(folder))
    }
    ada = await personAt(stage, browser)
    await (await ada.open()).close()
  })

  async function open(name: string): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> {
    const page = await ada.context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warn') return
      if (!message.text().startsWith('Failed to load resource')) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(String(error)))
    await page.goto(`${stage.app.origin}/${name}`)
    await page.waitForSelector('#connect')
    return { page, complaints }
  }

  const textOf = async (page: Page, id: string): Promise<string> =>
    String(await page.evaluate(`document.getElementById('${id}')?.textContent`))
  const untilStatus = (page: Page, status: string): Promise<void> =>
    until(page, `document.getElementById('status')?.textContent === '${status}'`)

  for (const name of ['react-18', 'react-19']) {
    describe(`useConnect, with ${name}`, () => {
      it('connects, and shows the connector', async () => {
        const { page, complaints } = await open(name)
        assert.equal(`react-${(await textOf(page, 'toggle')).split('.')[0]}`, name)
        assert.equal(await textOf(page, 'status'), 'idle')
        const popup = await ada.click(page)
        assert.equal(await textOf(page, 'status'), 'connecting')
        await consent(popup)
        await untilStatus(page, 'connected')
        assert.equal(await textOf(page, 'via'), 'message')
        await assertConnected(stage, { connectorId: await textOf(page, 'connector') })
        assert.equal(
          await page.evaluate('new Set(connects.slice(2)).size'),
          1,
          'connect is another function at each rendering',
        )
        assert.deepEqual(complaints, [])
        await page.close()
      })

      it('shows why it failed, without rejecting, and forgets it on reset', async () => {
        const { page, complaints } = await open(name)
        await consent(await ada.click(page), 'deny')
        await untilStatus(page, 'failed')
        assert.deepEqual([await textOf(page, 'reason'), await page.evaluate('result')], ['denied', null])
        await page.click('#reset')
        await untilStatus(page, 'idle')
        assert.equal(await textOf(page, 'reason'), '')
        assert.deepEqual(complaints, [])
        await page.close()
      })

      it('gives up and closes the window when the component goes, and when another begins', async () => {
        const { page, complaints } = await open(name)
        const first = await ada.click(page)
        const second = await opened(ada.context, () => page.click('#connect'))
        await untilClosed(first)
        assert.equal(await textOf(page, 'status'), 'connecting')
        await page.click('#toggle')
        await untilClosed(second)
        assert.equal(await page.evaluate('result'), null)
        await page.click('#toggle')
        await untilStatus(page, 'idle')
        assert.deepEqual(complaints, [])
        await page.close()
      })
    })
  }
}
