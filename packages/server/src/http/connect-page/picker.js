import { actions, announce, h, heading, plain, show, showMiddle, mark, sign, words } from './dom.js'

/** @import { PageView, Provider } from './page-types.ts' */
/** @import { Child } from './dom.js' */

const searchFrom = 6

/**
 * The providers to choose from; searching looks at names and categories.
 *
 * @param {PageView} page
 * @param {{ choose: (provider: Provider) => void, cancel: () => Node }} actionsOf
 */
export function showPicker(page, { choose, cancel }) {
  if (page.providers.length === 0) {
    return showMiddle(
      'picker.empty.title',
      {},
      mark('exclamation', 'warn'),
      h('p', {}, words['picker.empty.text']),
      actions(cancel()),
    )
  }
  const list = h('ul', { class: 'providers', 'aria-label': words['picker.text'] })
  const found = h('p', { class: 'found' })
  /** @param {readonly Provider[]} shown */
  const draws = (shown) => {
    list.replaceChildren(...shown.map((provider) => h('li', {}, entry(provider, choose))))
  }
  const providers = page.providers.toSorted((one, other) => one.display_name.localeCompare(other.display_name))
  draws(providers)
  const search = providers.length >= searchFrom ? searchField(providers, draws, found) : []
  show(
    plain('picker.title'),
    heading('picker.title'),
    h('p', {}, words['picker.text']),
    ...search,
    list,
    actions(cancel()),
  )
}

/**
 * @param {Provider} provider
 * @param {(provider: Provider) => void} choose
 */
function entry(provider, choose) {
  const tag = provider.connected
    ? h('span', { class: 'tag' }, words['picker.connected'])
    : !provider.setup_complete && h('span', { class: 'tag soft' }, words['picker.not_set_up'])
  const name = h('span', { class: 'words' }, h('b', {}, h('bdi', {}, provider.display_name)))
  return h(
    'button',
    { type: 'button', class: 'provider', on: { click: () => choose(provider) } },
    sign(provider),
    name,
    tag,
  )
}

/**
 * @param {readonly Provider[]} providers
 * @param {(shown: readonly Provider[]) => void} draws
 * @param {HTMLElement} found
 * @returns {Child[]}
 */
function searchField(providers, draws, found) {
  /** @param {string} text */
  const simple = (text) => text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()
  const searched = providers.map((provider) => ({
    provider,
    text: simple([provider.display_name, provider.provider_slug, ...provider.categories].join(' ')),
  }))
  const look = () => {
    const parts = simple(input.value).split(/\s+/)
    const shown = searched.filter(({ text }) => parts.every((part) => text.includes(part)))
    draws(shown.map(({ provider }) => provider))
    const text =
      shown.length === 0
        ? plain('picker.none', { query: input.value })
        : plain('picker.found', { count: String(shown.length) })
    found.textContent = text
    announce(text)
  }
  const input = h('input', {
    type: 'search',
    id: 'search',
    autocomplete: 'off',
    spellcheck: 'false',
    on: { input: look },
  })
  found.textContent = plain('picker.found', { count: String(providers.length) })
  return [h('label', { for: 'search' }, words['picker.search']), input, found]
}
