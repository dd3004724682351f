import { actions, button, config, h, mark, say, showMiddle, words } from './dom.js'
import { scopeList } from './review.js'

/** @import { Act, PageView, Provider } from './page-types.ts' */
/** @import { Drawing, Tone } from './dom.js' */
/** @import { FailureKind } from '../words/failure-kinds.ts' */

/** How connections end, in words and drawings. */

/** @type {Partial<Record<FailureKind, [Drawing, Tone]>>} */
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
/**
 * Whose advice says more than that one may try again.
 *
 * @type {ReadonlySet<FailureKind>}
 */
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

/** @param {string} code */
export const kindOf = (code) => (Object.hasOwn(config.kinds, code) ? config.kinds[code] : undefined) ?? 'refused'

/**
 * A failure, with an id to quote. `leave` is the button that ends it; `again` is left out where trying again is of no use.
 *
 * @param {string} code
 * @param {{ reference?: string | null | undefined, again?: Act | undefined, leave?: Node | undefined }} more
 */
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

/**
 * @param {Provider | undefined} provider
 * @param {Node} leave
 */
export function showSuccess(provider, leave) {
  const values = { provider: provider?.display_name ?? '' }
  const key = provider === undefined ? 'connected' : 'success'
  showMiddle(`${key}.title`, values, mark('tick'), h('p', { role: 'status' }, words[`${key}.text`]), actions(leave))
}

/** @param {Node} leave */
export function showAlready(leave) {
  showMiddle('already.title', {}, mark('tick'), h('p', {}, words['already.text']), actions(leave))
}

/**
 * @param {PageView} page
 * @param {Provider} provider
 * @param {{ ask: Act, leave: Node }} buttons
 */
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

/** @param {Provider} provider */
export function showLeaving(provider) {
  const values = { provider: provider.display_name }
  showMiddle('leaving.title', values, spinner(), h('p', { role: 'status' }, words['leaving.text']))
}

/**
 * @param {Provider} provider
 * @param {{ again: Act, cancel: Node }} buttons
 */
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

/** @param {{ again: Act, here: Act }} ways */
export function showBlocked({ again, here }) {
  showMiddle(
    'blocked.title',
    {},
    mark('window', 'warn'),
    h('p', { role: 'alert' }, words['blocked.text']),
    actions(button(words.try_again, again, 'main'), button(words['blocked.here'], here)),
  )
}

/** @type {Record<'closed' | 'connected' | 'unfinished' | 'unreachable', [Drawing, Tone?]>} */
const endDrawings = {
  closed: ['window', 'warn'],
  connected: ['tick'],
  unfinished: ['clock', 'warn'],
  unreachable: ['exclamation', 'warn'],
}

/**
 * Other ends that need words and a button only.
 *
 * @param {keyof typeof endDrawings} key
 * @param {Node[]} buttons
 */
export function showEnd(key, ...buttons) {
  const text = h('p', { role: 'alert' }, words[`${key}.text`])
  showMiddle(`${key}.title`, {}, mark(...endDrawings[key]), text, actions(...buttons))
}

/**
 * A mailed link, before anything: link scanners press no buttons.
 *
 * @param {PageView} page
 * @param {{ yes: Act }} buttons
 */
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

export function showLater() {
  const text = h('p', {}, words['link_later.text'])
  showMiddle('failure.cancelled.title', {}, mark('exclamation', 'wait'), text)
}
