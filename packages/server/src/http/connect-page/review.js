import { actions, draw, h, heading, plain, say, show, sign, words } from './dom.js'

/** @import { Act, Display, PageView, Provider, Scope, Values } from './page-types.ts' */
/** @import { WordKey } from '../words/en.ts' */

/**
 * What will be shared, where to, and who started; consent itself is given at the provider.
 *
 * @param {PageView} page
 * @param {Provider} provider
 * @param {{ go: Act, back: Node | undefined, cancel: () => Node }} actionsOf
 */
export function showReview(page, provider, { go, back, cancel }) {
  const values = { provider: provider.display_name }
  show(
    plain('review.title', values),
    h('div', { class: 'pair' }, sign(provider, 'large'), heading('review.title', values)),
    facts(page.display),
    provider.connected && h('p', { class: 'notice' }, ...say('review.again', values)),
    h('h2', {}, words['review.shared']),
    shared(provider),
    h('p', { class: 'note' }, ...say('review.note', values)),
    actions(mainButton(values, go), back ?? cancel()),
  )
}

/**
 * @param {Values} values
 * @param {Act} go
 */
const mainButton = (values, go) =>
  h('button', { type: 'button', class: 'button main', on: { click: go } }, ...say('review.go', values))

/** @param {Display} display */
function facts(display) {
  /** @type {[WordKey, string | null][]} */
  const rows = [
    ['review.app', display.tenant_name],
    ['review.space', display.space_name],
    ['review.collection', display.collection_name],
    ['review.person', display.started_by],
  ]
  const shown = rows.filter(([, value]) => value)
  if (shown.length === 0) return undefined
  return h(
    'dl',
    { class: 'facts' },
    shown.map(([key, value]) => h('div', {}, h('dt', {}, words[key]), h('dd', {}, h('bdi', {}, value)))),
  )
}

/** @param {Provider} provider */
function shared(provider) {
  const values = { provider: provider.display_name }
  if (provider.scopes.length === 0) return h('p', {}, ...say('review.unnamed', values))
  return h('div', {}, h('p', {}, ...say('review.shared_text', values)), scopeList(provider.scopes, values))
}

/**
 * Scopes in plain words: the catalogue's where it has some, those of OpenID Connect for its own (Core §5.4, §11). What
 * neither describes is called by its name, since a guess at what it allows might be wrong.
 *
 * @param {readonly Scope[]} scopes
 * @param {Values} values
 * @param {'' | 'missing'} look
 */
export function scopeList(scopes, values, look = '') {
  const described = scopes.map((scope) => ({ ...scope, text: wordsOf(scope, values) }))
  const inWords = described.filter((scope) => scope.text !== undefined)
  const byName = described.filter((scope) => scope.text === undefined)
  return h(
    'div',
    {},
    inWords.length > 0 &&
      h(
        'ul',
        { class: `scopes ${look}` },
        inWords.map(({ text }) => h('li', {}, draw(look === 'missing' ? 'exclamation' : 'tick'), text)),
      ),
    byName.length > 0 &&
      h(
        'div',
        { class: 'technical' },
        h('p', {}, words['review.technical']),
        groups(byName.map((scope) => scope.name)).map((names) =>
          h(
            'div',
            {},
            names.map((name) => h('code', { title: name, dir: 'ltr' }, short(name))),
          ),
        ),
      ),
  )
}

/**
 * @param {Scope} scope
 * @param {Values} values
 */
function wordsOf({ name, description }, values) {
  const isEnglish = document.documentElement.lang === 'en'
  const key = /** @type {WordKey} */ (`scope.${name}`)
  const own = Object.hasOwn(words, key) ? h('span', {}, ...say(key, values)) : undefined
  // The catalogue speaks English.
  const catalogued = description ? h('span', { lang: 'en', dir: 'ltr' }, description) : undefined
  return isEnglish ? (catalogued ?? own) : (own ?? catalogued)
}

/**
 * `https://www.googleapis.com/auth/drive.readonly` is known as its last part.
 *
 * @param {string} name
 */
const short = (name) =>
  /^https?:\/\//.test(name)
    ? (name
        .split('/')
        .filter((part) => part !== '')
        .at(-1) ?? name)
    : name

/**
 * Names that begin with the same word stand together.
 *
 * @param {readonly string[]} names
 */
function groups(names) {
  return [...Map.groupBy(names, (name) => short(name).split(/[.:_/-]/, 1)[0]).values()]
}
