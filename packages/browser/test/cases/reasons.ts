import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { before, describe, it } from 'node:test'
import type { Browser, Page } from 'puppeteer-core'
import { opened, until, untilClosed } from '../support/browsers.ts'
import { assertConnected, consent, personAt, shown, type Person, type Stage } from '../support/scene.ts'
import type { Playing } from '../support/playing.ts'

/** Every reason with which `connect` rejects, and what it survives. */
export function reasonsCases(playing: () => Promise<Playing>): void {
  let stage: Stage
  let browser: Browser
  let ada: Person

  before(async () => {
    ;({ stage, browser } = await playing())
    ada = await personAt(stage, browser)
  })

  /** Ends as the page says, and the window with it. */
  async function assertRejects(page: Page, popup: Page | undefined, reason: string, code?: string): Promise<void> {
    const result = await shown(page)
    assert.deepEqual([result.name, result.reason, result.code], ['ConnectError', reason, code], JSON.stringify(result))
    assert.ok((result.message ?? '').length > 10)
    if (popup !== undefined) await untilClosed(popup)
    await page.close()
  }

  describe('connect rejects as', () => {
    for (const [end, more] of [
      ['the service’s own page', () => ({})],
      ['a landing page', () => ({ landingPage: stage.app.landingPage })],
    ] as const) {
      it(`denied, when the user says no, who reads so in a window that was to end on ${end}, and closes it`, async () => {
        const page = await ada.open(more())
        const popup = await ada.click(page)
        await consent(popup, 'deny')
        await assertRejects(page, undefined, 'denied', 'access_denied')
        // Longer than a success stays.
        await sleep(3_000)
        const words = String(await popup.evaluate(`document.querySelector('[role=alert]').textContent`))
        assert.match(words, /Access was not allowed/)
        await popup.evaluate(`setTimeout(() => document.getElementById('close').click())`)
        await untilClosed(popup)
      })
    }

    it('denied, also by redirect: the service’s page leads back to the landing page', async () => {
      const page = await ada.open({ landingPage: stage.app.landingPage })
      await page.click('#leave')
      await consent(page, 'deny')
      const back = `a[href^="${stage.app.landingPage}#"]`
      await until(page, `document.querySelector('${back}') !== null`)
      await page.click(back)
      await until(page, `location.pathname === '/landing'`)
      await assertRejects(page, undefined, 'denied', 'access_denied')
    })

    it('aborted, as soon as the signal says so, and closes the window', async () => {
      const page = await ada.open()
      await page.evaluate(`window.abort = new AbortController(); window.more = { signal: abort.signal }`)
      const popup = await ada.click(page)
      await page.evaluate('abort.abort()')
      await assertRejects(page, popup, 'aborted')
    })

    it('refused, with the service’s own code', async () => {
      const page = await ada.open({ provider: 'no-such-provider' })
      await page.click('#connect')
      await assertRejects(page, undefined, 'refused', 'provider_unknown')
    })

    it('refused, naming the fields, when the request is malformed', async () => {
      const page = await ada.open({ spaceId: 'none' })
      await page.click('#connect')
      const { reason, code, message } = await shown(page)
      assert.deepEqual([reason, code], ['refused', 'invalid_request'])
      assert.match(message ?? '', /space_id: value is not a valid uuid/)
      await page.close()
    })

    it('refused, when getAuthorization fails', async () => {
      const page = await ada.open()
      await page.evaluate(`window.more = { getAuthorization: () => { throw new Error('signed out') } }`)
      await page.click('#connect')
      await assertRejects(page, undefined, 'refused', 'no_authorization')
    })

    it('network, when the service cannot be reached', async () => {
      const page = await ada.open({ baseUrl: 'http://127.0.0.1:9' })
      await page.click('#connect')
      await assertRejects(page, undefined, 'network')
    })

    it('provider_error, when the provider does not answer', async () => {
      const page = await ada.open()
      const popup = await ada.click(page)
      stage.service.sandbox.behave({ failTokenWith: 500 })
      try {
        await consent(popup)
        const { reason } = await shown(page)
        assert.equal(reason, 'provider_error')
      } finally {
        stage.service.sandbox.behave({ failTokenWith: undefined })
      }
      await page.close()
    })

    it('account_changed, when a reconnect ends at another account; and not, when that is allowed', async () => {
      const connectorId = 'reconnected'
      const page = await ada.open({ connectorId })
      await consent(await ada.click(page))
      await assertConnected(stage, await shown(page))
      const asGrace = async (): Promise<void> => {
        const popup = await ada.click(page)
        await popup.evaluate(`document.querySelector('a[href$="switch=1"]').click()`)
        await popup.waitForSelector('input[name=login]')
        await consent(popup, 'allow', 'grace')
      }
      await asGrace()
      const refused = await shown(page)
      assert.deepEqual([refused.reason, refused.code], ['account_changed', 'account_changed'])
      await page.evaluate(`window.more.allowAccountChange = true`)
      await asGrace()
      assert.equal((await shown(page)).connectorId, connectorId)
      await page.close()
    })

    it('expired, when the window is left alone for too long', async () => {
      const page = await ada.open()
      const popup = await ada.click(page)
      // The bearer token lives for an hour, the clock's jump included.
      stage.service.clock.advance(601_000)
      await assertRejects(page, popup, 'expired')
    })
  })

  describe('connect', () => {
    it('goes on with the code when the answer to it is lost, and completes once', async () => {
      const page = await ada.open()
      let lost = 0
      await page.setRequestInterception(true)
      page.on('request', (request) => {
        const isFirst = request.method() === 'POST' && request.url().endsWith('/complete') && lost === 0
        if (!isFirst) return void request.continue()
        lost += 1
        // The service has done the work; the page never hears of it.
        void fetch(request.url(), {
          method: 'POST',
          headers: request.headers(),
          body: request.postData() ?? '',
        }).then(() => request.abort())
      })
      const popup = await ada.click(page)
      const earlier = stage.service.sandbox.counts.codeExchanges
      await consent(popup)
      const result = await shown(page)
      await assertConnected(stage, result)
      assert.deepEqual([result.via, lost], ['status', 1])
      assert.equal(stage.service.sandbox.counts.codeExchanges - earlier, 1)
      await page.close()
    })

    it('asks for the token anew for every request, and survives one that has ended', async () => {
      const page = await ada.open()
      const token = await stage.service.token()
      await page.evaluate(`window.asked = 0; window.more = { getAuthorization: async () => {
      asked += 1; return asked === 2 ? 'ended.long.ago' : ${JSON.stringify(token)} } }`)
      const popup = await opened(ada.context, () => page.click('#connect'))
      await page.waitForFunction('asked > 2', { polling: 50 })
      await consent(popup)
      await assertConnected(stage, await shown(page))
      await page.close()
    })
  })
}
