import { actions, button, config, h, mark, say, showMiddle, words } from './dom.js'
import { scopeList } from './review.js'

/** How connections end, in words and drawings. */

const drawings = {
  denied: ['exclamation', 'wait'],
  cancelled: ['exclamation', 'wait'],
  expired: ['clock', 'warn'],
  waiting_admin: ['clock', 'warn'],
  wrong_account: ['person', 'warn'],
  other_person: ['person', 'bad'],
  sign_in: ['person', 'warn'],
  not_set_up: ['exclamation', 'warn'],
}
/** Whose advice says more than that one may try again. */
const advised = new Set([
  'other_person',
  'other_browser',
  'not_permitted',
  'sign_in',
  'bad_set_up',
  'waiting_admin',
  'not_set_up',
  'expired',
  'over',
  'lost',
  'untold',
])

export const kindOf = (code) => (Object.hasOwn(config.kinds, code) ? config.kinds[code] : 'refused')

/** A failure, with an id to quote. `leave` is the button that ends it; `again` is left out where trying again is of no use. */
export function showFailure(code, { reference, again, leave }) {
  const kind = kindOf(code)
  const isAdvised = advised.has(kind) && h('p', {}, words[`failure.${kind}.advice`])
  const mayTry = config.mayTryAgain.includes(kind) && again !== undefined
  const isPlain = kind === 'denied' || kind === 'cancelled'
  showMiddle(
    `failure.${kind}.title`,
    {},
    mark(...(drawings[kind] ?? ['exclamation', 'bad'])),
    h('p', { role: 'alert' }, words[`failure.${kind}.text`]),
    isAdvised,
    actions(mayTry && button(words.try_again, again, 'main'), leave),
    !isPlain &&
      h(
        'p',
        { class: 'reference' },
        `${words.reference} `,
        h('code', { dir: 'ltr' }, [code, reference].filter((part) => part).join(' · ')),
      ),
  )
}

export function showSuccess(provider, leave) {
  const values = { provider: provider?.display_name ?? '' }
  const key = provider === undefined ? 'connected' : 'success'
  showMiddle(`${key}.title`, values, mark('tick'), h('p', { role: 'status' }, words[`${key}.text`]), actions(leave))
}

export function showAlready(leave) {
  showMiddle('already.title', {}, mark('tick'), h('p', {}, words['already.text']), actions(leave))
}

export function showPartial(page, provider, { ask, leave }) {
  const values = { provider: provider.display_name }
  showMiddle(
    'partial.title',
    values,
    mark('tick', 'warn'),
    h('p', {}, words['partial.text']),
    scopeList(page.missing_scopes, values, 'missing'),
    actions(button(words['partial.ask'], ask, 'main'), leave),
  )
}

const spinner = () => h('div', { class: 'spinner', 'aria-hidden': 'true' })

export function showLeaving(provider) {
  const values = { provider: provider.display_name }
  showMiddle('leaving.title', values, spinner(), h('p', { role: 'status' }, words['leaving.text']))
}

export function showElsewhere(provider, { again, cancel }) {
  const values = { provider: provider.display_name }
  showMiddle(
    'elsewhere.title',
    {},
    mark('window', 'wait'),
    h('p', { role: 'status' }, ...say('elsewhere.text', values)),
    actions(button(words['elsewhere.again'], again), cancel),
  )
}

export function showFinishing() {
  showMiddle('finishing.title', {}, spinner(), h('p', { role: 'status' }, words['finishing.text']))
}

export function showBlocked({ again, here }) {
  showMiddle(
    'blocked.title',
    {},
    mark('window', 'warn'),
    h('p', { role: 'alert' }, words['blocked.text']),
    actions(button(words.try_again, again, 'main'), button(words['blocked.here'], here)),
  )
}

/** Other ends that need words and a button only. */
export function showEnd(key, drawing, ...buttons) {
  showMiddle(`${key}.title`, {}, mark(...drawing), h('p', { role: 'alert' }, words[`${key}.text`]), actions(...buttons))
}

/** A mailed link, before anything: link scanners press no buttons. */
export function showConfirm(page, { yes }) {
  showMiddle(
    'confirm.title',
    {},
    mark('person', 'wait'),
    h('p', {}, ...say('confirm.text', { person: page.display.started_by })),
    h('p', {}, words['confirm.not_you']),
    actions(button(words['confirm.yes'], yes, 'main')),
  )
}

export function showLater(leave) {
  showMiddle(
    'failure.cancelled.title',
    {},
    mark('exclamation', 'wait'),
    h('p', {}, words['link_later.text']),
    leave && actions(leave),
  )
}
