import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { Browser, BrowserContext, Page } from 'puppeteer-core'
import { spaceId, collectionId } from '../../../server/test/support/service.ts'
import { opened, openProfile, until, untilClosed } from '../support/browsers.ts'
import {
  answer,
  assertConnected,
  atSandbox,
  consent,
  personAt,
  untilAsked,
  shown,
  type Person,
  type Shown,
  type Stage,
} from '../support/scene.ts'
import type { Playing } from '../support/playing.ts'

/** What strangers try, and that they get nothing. */
export function threatsCases(playing: () => Promise<Playing>): void {
  let stage: Stage
  let browser: Browser
  /** V, at the app in a browser of their own; and A, who is another user of the same tenant. */
  let victim: Person
  let attacker: Person
  /** Where A consents, signed in at the provider with an account of A's own. */
  let thief: BrowserContext

  before(async () => {
    ;({ stage, browser } = await playing())
    victim = await personAt(stage, browser, { subject: 'victim' })
    attacker = await personAt(stage, browser, { subject: 'attacker' })
    thief = await openProfile(browser)
  })

  interface Session {
    readonly session_id: string
    readonly authorize_url: string
  }

  /** A session of the subject's, as any program of theirs can start one. */
  async function sessionOf(subject: string, more: object): Promise<Session> {
    const reply = await stage.service.call('POST', '/v1/connectors/oauth/sandbox/sessions', {
      token: await stage.service.token({ sub: subject }),
      body: { space_id: spaceId, collection_id: collectionId, ...more },
    })
    assert.equal(reply.status, 201)
    return ((await reply.json()) as { data: Session }).data
  }

  /** Consents in a browser of A's own, and answers the landing page's fragment without letting the page have it. */
  async function fragmentOf({ authorize_url: url }: Session): Promise<string> {
    const page = await thief.newPage()
    const landed = Promise.withResolvers<string>()
    await page.setRequestInterception(true)
    page.on('request', (request) => {
      if (request.url().startsWith(stage.app.landingPage)) void request.abort()
      else void request.continue()
    })
    page.on('response', (response) => {
      const location = response.headers()['location'] ?? ''
      if (location.startsWith(stage.app.landingPage)) landed.resolve(location)
    })
    await page.goto(url)
    await consent(page, 'allow', 'attackers-account')
    const { hash } = new URL(await landed.promise)
    await page.close()
    assert.match(hash, /completion_code=/)
    return hash
  }

  async function connectorsOf(): Promise<number> {
    const path = `/v1/spaces/${spaceId}/collections/${collectionId}/connectors?limit=100`
    const { data } = (await (await stage.service.call('GET', path)).json()) as { data: unknown[] }
    return data.length
  }

  async function tokenRequestsDuring(attack: () => Promise<void>): Promise<number> {
    const earlier = stage.service.sandbox.counts.tokenRequests
    await attack()
    return stage.service.sandbox.counts.tokenRequests - earlier
  }

  async function landWith(person: Person, hash: string, more: string = '{}'): Promise<Page> {
    await (await person.open()).close()
    const page = await person.context.newPage()
    await page.evaluateOnNewDocument(`window.more = ${more}`)
    await page.goto(stage.app.landingPage + hash)
    return page
  }

  describe('the landing page', () => {
    it('attaches no account of A’s to V, who was lured there with A’s session and code, and the code is dropped', async () => {
      const session = await sessionOf('attacker', { redirect_uri: stage.app.landingPage })
      const hash = await fragmentOf(session)
      const had = await connectorsOf()
      const requests = await tokenRequestsDuring(async () => {
        const page = await landWith(victim, hash)
        // Even a user who says yes.
        await answer(page, 'yes')
        const { reason, code } = await shown(page)
        assert.deepEqual([reason, code], ['principal_mismatch', 'principal_mismatch'])
        await page.close()
        // Nor is the code any good to A from now on.
        const again = await landWith(attacker, hash)
        await answer(again, 'yes')
        assert.notEqual((await shown(again)).kind, 'connected')
        await again.close()
      })
      assert.equal(requests, 0)
      assert.equal(await connectorsOf(), had)
    })

    it('asks before it completes what this tab did not begin, and takes nothing but a yes for one', async () => {
      const session = await sessionOf('victim', { redirect_uri: stage.app.landingPage })
      const hash = await fragmentOf(session)
      const endOf = async (more: string, act?: (page: Page) => Promise<void>): Promise<Shown> => {
        const page = await landWith(victim, hash, more)
        await act?.(page)
        const end = await shown(page)
        await page.close()
        return end
      }
      const requests = await tokenRequestsDuring(async () => {
        const press = async (page: Page, key: 'Escape' | 'Enter'): Promise<void> => {
          await untilAsked(page)
          await page.keyboard.press(key)
        }
        const ends = [
          await endOf('{}', (page) => press(page, 'Escape')),
          // The button that says no has the focus.
          await endOf('{}', (page) => press(page, 'Enter')),
          ...(await Promise.all([
            endOf('{}', (page) => answer(page, 'no')),
            endOf('{ confirm: () => false }'),
            endOf('{ confirm: () => {} }'),
            endOf(`{ confirm: ({ provider }) => 'truthy ' + provider }`),
          ])),
        ]
        assert.deepEqual(
          ends.map(({ reason }) => reason),
          ends.map(() => 'aborted'),
        )
      })
      assert.equal(requests, 0)
      // Asked by the app, with the provider's name, and told yes.
      const end = await endOf(
        `{ confirm: ({ provider, providerName }) => provider + providerName === 'sandboxSandbox' }`,
      )
      assert.equal(end.kind, 'connected', JSON.stringify(end))
    })

    it('asks also where the fragment names no provider, in a tab that waits for this very connection', async () => {
      const page = await victim.open({ landingPage: stage.app.landingPage })
      const created = page.waitForResponse(
        (response) => response.url().endsWith('/sessions') && response.status() === 201,
      )
      const popup = await victim.click(page)
      const { session_id: id } = ((await (await created).json()) as { data: Session }).data
      await popup.close()
      const requests = await tokenRequestsDuring(async () => {
        await page.goto(`${stage.app.landingPage}#session_id=${id}&status=awaiting_completion&completion_code=planted`)
        await answer(page, 'no')
        assert.equal((await shown(page)).reason, 'aborted')
      })
      assert.equal(requests, 0)
      await page.close()
    })

    describe('told of what this tab began, and with it another session’s code,', () => {
      /** A’s account behind a session of V’s, which `began` stands before. */
      async function mixedWith(began: string): Promise<string> {
        const hash = await fragmentOf(await sessionOf('victim', { redirect_uri: stage.app.landingPage }))
        return `${stage.app.landingPage}#connect_session_id=${began}&${hash.slice(1)}`
      }

      /** The id of what this tab began, on a page of the app’s. */
      async function begunIn(page: Page): Promise<string> {
        await until(page, 'sessionStorage.length === 1')
        return String(await page.evaluate(`sessionStorage.key(0).split(' ').at(-1)`))
      }

      /** V is sent away by this tab, and comes back without having consented. */
      async function leaveAndReturn(page: Page): Promise<string> {
        await page.click('#leave')
        await until(page, `location.origin !== ${JSON.stringify(stage.app.origin)}`)
        await page.goto(stage.app.origin)
        return begunIn(page)
      }

      it('asks, and completes nothing even then', async () => {
        const page = await victim.open({ landingPage: stage.app.landingPage })
        const mixed = await mixedWith(await leaveAndReturn(page))
        const requests = await tokenRequestsDuring(async () => {
          await page.goto(mixed)
          await answer(page, 'yes')
          assert.match((await shown(page)).reason ?? '', /^(closed|expired)$/)
        })
        assert.equal(requests, 0)
        await page.close()
      })

      it('asks where a page waits for it, which takes nothing of it by any way', async () => {
        const page = await victim.open({ landingPage: stage.app.landingPage })
        const popup = await victim.click(page)
        const mixed = await mixedWith(await begunIn(page))
        const requests = await tokenRequestsDuring(async () => {
          // By its own script: a window that is told by its driver where to go loses its opener.
          await popup.evaluate(`setTimeout(() => location.assign(${JSON.stringify(mixed)}))`)
          await until(popup, `location.pathname === '/landing'`)
          await answer(popup, 'no')
          assert.equal((await shown(popup)).reason, 'aborted')
        })
        assert.equal(requests, 0)
        assert.equal(await page.evaluate(`document.getElementById('result').textContent`), '')
        await popup.close()
        await page.close()
      })

      it('is refused by the service where that was begun on the Connect page', async () => {
        const page = await victim.open({ landingPage: stage.app.landingPage, providers: ['sandbox', 'github'] })
        const mixed = await mixedWith(await leaveAndReturn(page))
        const refused = page.waitForResponse((response) => response.url().endsWith('/complete'))
        const requests = await tokenRequestsDuring(async () => {
          await page.goto(mixed)
          assert.equal((await shown(page)).reason, 'closed')
        })
        assert.equal((await refused).status(), 400)
        assert.equal(requests, 0)
        await page.close()
      })

      it('asks again once it was begun too long ago', async () => {
        const page = await victim.open({ landingPage: stage.app.landingPage })
        const id = await leaveAndReturn(page)
        await page.evaluate(`for (const [key, kept] of Object.entries(sessionStorage))
          sessionStorage.setItem(key, JSON.stringify({ ...JSON.parse(kept), until: Date.now() - 1 }))`)
        await page.goto(`${stage.app.landingPage}#session_id=${id}&status=awaiting_completion&completion_code=planted`)
        await answer(page, 'no')
        assert.equal((await shown(page)).reason, 'aborted')
        await page.close()
      })
    })

    it('asks in the page’s language or the one it is told, by the service’s name of the provider, and not at once: a double click answers nothing', async () => {
      const hash = '#session_id=ses_any&provider=sandbox&status=awaiting_completion&completion_code=any'
      const askedWith = async (more: string): Promise<unknown> => {
        const page = await landWith(victim, hash, more)
        await page.waitForSelector('dialog[open]')
        const asked = await page.evaluate(`(({ lang, dir, firstChild }) =>
          [window.couldAnswer, lang, dir, firstChild.textContent])(document.querySelector('dialog'))`)
        await page.close()
        return asked
      }
      // What the button was when it first stood there.
      const watching = `new MutationObserver(() => {
        const button = document.querySelector('dialog[open] button:last-of-type')
        window.couldAnswer ??= button === null ? undefined : button.ariaDisabled === 'false'
      }).observe(document, { childList: true, subtree: true, attributes: true })`
      const asked = await Promise.all(
        [`locale: undefined`, `locale: 'de_AT'`, `locale: 'ar'`, `getAuthorization: () => 'none'`].map((more) =>
          askedWith(`{ ${more} }; ${watching}`),
        ),
      )
      assert.deepEqual(asked, [
        [false, 'en', 'ltr', 'Connect this Sandbox account?'],
        [false, 'de', 'ltr', 'Dieses Konto bei Sandbox verbinden?'],
        [false, 'ar', 'rtl', 'هل تريد ربط حساب Sandbox هذا؟'],
        [false, 'en', 'ltr', 'Connect this sandbox account?'],
      ])
    })

    it('asks nobody in a frame, where a stranger’s page may steal the click', async () => {
      const hash = await fragmentOf(await sessionOf('victim', { redirect_uri: stage.app.landingPage }))
      await (await victim.open()).close()
      const page = await victim.context.newPage()
      const requests = await tokenRequestsDuring(async () => {
        await page.goto(`${stage.app.stranger}/frame?of=${encodeURIComponent(stage.app.landingPage + hash)}`)
        const frame = page.frames().find((one) => one !== page.mainFrame())
        assert.ok(frame)
        assert.equal((await shown(frame)).reason, 'blocked')
      })
      assert.equal(requests, 0)
      await page.close()
    })

    it('believes no fragment that was made up', async () => {
      const session = await sessionOf('victim', { redirect_uri: stage.app.landingPage })
      const id = session.session_id
      await (await victim.open()).close()
      const endOf = async (hash: string): Promise<Shown> => {
        const page = await landWith(victim, hash)
        if (hash.includes('completion_code=')) await answer(page, 'yes')
        const end = await shown(page)
        await page.close()
        return end
      }
      const forged = [
        `#session_id=${id}&status=connected`,
        `#session_id=${id}&status=failed`,
        `#session_id=${id}&provider=sandbox&status=awaiting_completion&completion_code=guessed`,
        `#session_id=ses_unknown&provider=sandbox&status=awaiting_completion&completion_code=guessed`,
        `#session_id=${id}&provider=${encodeURIComponent('../../admin')}&status=awaiting_completion&completion_code=x`,
      ]
      for (const { reason } of await Promise.all(forged.map(endOf))) assert.match(reason ?? '', /^(closed|expired)$/)
      const others = ['', '#top', '#session_id=&status=connected', `#session_id=${id}&status=odd`]
      for (const end of await Promise.all(others.map(endOf))) assert.deepEqual(end, { kind: 'nothing' })
    })

    it('uses a code once, and leaves none behind in address, history or storage', async () => {
      const page = await victim.open({ landingPage: stage.app.landingPage })
      await page.click('#leave')
      await consent(page)
      await until(page, `location.pathname === '/landing'`)
      const first = await shown(page)
      assert.equal(first.kind, 'connected')
      assert.equal(page.url(), stage.app.landingPage)
      const kept = await page.evaluate(`JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state])`)
      assert.doesNotMatch(String(kept), /completion_code|ses_/)
      await page.reload()
      assert.deepEqual(await shown(page), { kind: 'nothing' })
      await page.close()
    })

    it('leaves no code in storage when its window is closed while nobody listens', async () => {
      const page = await victim.open()
      const hash = `#session_id=ses_left&provider=sandbox&status=awaiting_completion&completion_code=left-behind`
      const landing = await landWith(victim, hash)
      // All ways are tried within two seconds; whenever the window goes, storage is as it was.
      await page.evaluate(`window.seen = []; addEventListener('storage', (e) => seen.push([e.key, e.newValue]))`)
      await until(page, 'seen.length >= 2')
      await landing.close()
      const seen = await page.evaluate('seen')
      assert.deepEqual(
        (seen as [string, string | null][]).map(([key, value]) => [key, value === null]),
        [
          ['connector-oauth ses_left', false],
          ['connector-oauth ses_left', true],
        ],
      )
      assert.doesNotMatch(String(await page.evaluate('JSON.stringify({ ...localStorage })')), /left-behind/)
      await page.close()
    })

    it('keeps to one completion when two tabs have the same fragment', async () => {
      const session = await sessionOf('victim', { redirect_uri: stage.app.landingPage })
      const hash = await fragmentOf(session)
      const requests = await tokenRequestsDuring(async () => {
        const pages = await Promise.all([landWith(victim, hash), landWith(victim, hash)])
        await Promise.all(pages.map((page) => answer(page, 'yes')))
        const results = await Promise.all(pages.map(shown))
        const [one, two] = results
        assert.deepEqual([one?.kind, two?.kind], ['connected', 'connected'], JSON.stringify(results))
        assert.equal(one?.connectorId, two?.connectorId)
        for (const page of pages) await page.close()
      })
      assert.equal(requests, 1)
    })
  })

  describe('the page that waits', () => {
    it('ignores messages of strangers, of other sessions, of other windows, and of other shapes', async () => {
      const page = await victim.open()
      const created = page.waitForResponse(
        (response) => response.url().endsWith('/sessions') && response.status() === 201,
      )
      const popup = await victim.click(page)
      const { session_id: id } = ((await (await created).json()) as { data: Session }).data
      const told = {
        source: 'connector-oauth',
        session_id: id,
        status: 'awaiting_completion',
        completion_code: 'stolen',
      }
      const completions: string[] = []
      page.on('request', (request) => {
        if (request.method() === 'POST' && request.url().endsWith('/complete'))
          completions.push(request.postData() ?? '')
      })
      // A stranger's window that holds a handle on this page says what the closing page would say.
      const stranger = await opened(
        victim.context,
        () => page.evaluate(`void window.open(${JSON.stringify(`${stage.app.stranger}/opener`)})`) as Promise<void>,
      )
      await until(stranger, `typeof told !== 'undefined'`)
      await stranger.evaluate(`opener.postMessage(${JSON.stringify(told)}, '*')`)
      // This origin's own page in another window than the one that was opened for it.
      const sibling = await opened(
        victim.context,
        () => page.evaluate(`void window.open(${JSON.stringify(`${stage.app.origin}/opener`)})`) as Promise<void>,
      )
      await until(sibling, `typeof told !== 'undefined'`)
      await sibling.evaluate(`opener.postMessage(${JSON.stringify(told)}, '*')`)
      for (const odd of [
        { ...told, session_id: 'ses_other' },
        { ...told, status: 'done' },
        { ...told, source: 'elsewhere' },
        { ...told, completion_code: { toString: 'x' }, status: 'failed' },
        null,
        'connector-oauth',
      ]) {
        await page.evaluate(`new BroadcastChannel('connector-oauth ${id}').postMessage(${JSON.stringify(odd)})`)
      }
      assert.equal(await page.evaluate(`document.getElementById('result').textContent`), '')
      await consent(popup)
      const result = await shown(page)
      await assertConnected(stage, result)
      assert.equal(result.via, 'message')
      assert.equal(completions.length, 1)
      assert.doesNotMatch(completions.join(''), /stolen/)
      for (const one of [stranger, sibling, page]) await one.close()
    })

    it('ignores strangers also when it was loaded anew, and knows its window no more', async () => {
      const page = await victim.open()
      const created = page.waitForResponse(
        (response) => response.url().endsWith('/sessions') && response.status() === 201,
      )
      const popup = await victim.click(page)
      const { session_id: id } = ((await (await created).json()) as { data: Session }).data
      await page.reload()
      await until(page, `document.documentElement.dataset.ready === ''`)
      const stranger = await opened(
        victim.context,
        () => page.evaluate(`void window.open(${JSON.stringify(`${stage.app.stranger}/opener`)})`) as Promise<void>,
      )
      await until(stranger, `typeof told !== 'undefined'`)
      const completions: string[] = []
      page.on('request', (request) => {
        if (request.method() === 'POST' && request.url().endsWith('/complete'))
          completions.push(request.postData() ?? '')
      })
      const told = {
        source: 'connector-oauth',
        session_id: id,
        status: 'awaiting_completion',
        completion_code: 'stolen',
      }
      await stranger.evaluate(`opener.postMessage(${JSON.stringify(told)}, '*')`)
      await consent(popup)
      await assertConnected(stage, await shown(page))
      assert.doesNotMatch(completions.join(''), /stolen/)
      assert.equal(completions.length, 1)
      for (const one of [stranger, page]) await one.close()
    })

    it('goes on when a page of its own origin hands over a code that is not the session’s', async () => {
      const page = await victim.open({ landingPage: stage.app.landingPage })
      const created = page.waitForResponse(
        (response) => response.url().endsWith('/sessions') && response.status() === 201,
      )
      const popup = await victim.click(page)
      const { session_id: id } = ((await (await created).json()) as { data: Session }).data
      const refused = page.waitForResponse(
        (response) => response.url().endsWith('/complete') && response.status() >= 400,
      )
      const wrong = {
        source: 'connector-oauth',
        session_id: id,
        status: 'awaiting_completion',
        completion_code: 'wrong',
      }
      await (
        await victim.open()
      ).evaluate(`new BroadcastChannel('connector-oauth ${id}').postMessage(${JSON.stringify(wrong)})`)
      await refused
      await consent(popup)
      await assertConnected(stage, await shown(page))
      await untilClosed(popup)
      for (const one of await victim.context.pages()) await one.close()
    })
  })

  describe('a stranger’s page', () => {
    it('that opens the closing page’s flow is told nothing, by message or otherwise', async () => {
      const session = await sessionOf('victim', { origin: stage.app.origin })
      const page = await victim.context.newPage()
      await page.goto(`${stage.app.stranger}/opener`)
      await page.evaluate(`window.address = ${JSON.stringify(session.authorize_url)};
      window.channel = new BroadcastChannel('connector-oauth ${session.session_id}');
      channel.onmessage = ({ data }) => told.push(data)`)
      const popup = await opened(victim.context, () => page.click('#open'))
      await consent(popup)
      await until(popup, `location.pathname.includes('/finished/')`)
      await untilClosed(popup)
      assert.deepEqual(await page.evaluate('told'), [])
      await page.close()
    })

    it('that opens the landing page’s flow is told nothing, and cannot read where the window is', async () => {
      await (await victim.open()).close()
      const session = await sessionOf('victim', { redirect_uri: stage.app.landingPage })
      const page = await victim.context.newPage()
      await page.goto(`${stage.app.stranger}/opener`)
      await page.evaluate(`window.address = ${JSON.stringify(session.authorize_url)}`)
      const popup = await opened(victim.context, () => page.click('#open'))
      await consent(popup)
      await until(popup, `location.pathname === '/landing'`)
      // Nobody of the app's waits: the landing page asks around, the stranger's window among them, and then V, for whom alone
      // it finishes.
      await answer(popup, 'yes')
      assert.equal((await shown(popup)).kind, 'connected')
      assert.deepEqual(await page.evaluate('told'), [])
      await assert.rejects(() => page.evaluate('opened.location.href'), /cross-origin|Blocked/)
      await popup.close()
      await page.close()
    })

    it('that frames a page of the flow gets an empty frame', async () => {
      const { session_id: id, authorize_url: url } = await sessionOf('victim', { origin: stage.app.origin })
      const page = await victim.context.newPage()
      for (const address of [url, `${stage.service.url}/v1/connectors/oauth/finished/${id}#completion_code=x`]) {
        await page.goto(`${stage.app.stranger}/frame?of=${encodeURIComponent(address)}`)
        const frame = page.frames().find((one) => one !== page.mainFrame())
        // The browser's own page stands there instead.
        assert.match(frame?.url() ?? '', /^chrome-error:/)
      }
      // The ticket was not spent on it.
      await page.goto(url)
      await until(page, atSandbox)
      await page.close()
    })
  })
}
