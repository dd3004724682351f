/** Elements, words and drawings. Whatever comes from outside becomes text, never markup. */

/** @import { Act, Config, Properties, Provider, Values } from './page-types.ts' */
/** @import { WordKey } from '../words/en.ts' */

/**
 * What stands in an element; what is absent is left out.
 *
 * @typedef {Node | string | false | null | undefined} Child
 */

/** @type {Config} */
export const config = JSON.parse(part('config').textContent ?? '')
export const { words } = config

/**
 * An element of the page's own document.
 *
 * @param {string} id
 */
function part(id) {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`The page has no #${id}`)
  return found
}

/**
 * Makes an element; `children` are nodes and text, and what is absent is left out.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Properties} properties
 * @param {...(Child | readonly Child[])} children
 */
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue
    if (typeof value === 'object') {
      for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener)
    } else element.setAttribute(key, value === true ? '' : value)
  }
  element.append(...present(children))
  return element
}

/**
 * @param {readonly (Child | readonly Child[])[]} children
 * @returns {(Node | string)[]}
 */
function present(children) {
  return children.flat().filter((child) => child !== undefined && child !== null && child !== false)
}

/**
 * A sentence with values put in, each apart from the direction of the text around it.
 *
 * @param {WordKey} key
 * @param {Values} values
 */
export function say(key, values = {}) {
  return words[key]
    .split(/(\{\w+\})/)
    .filter((text) => text !== '')
    .map((text) => {
      const value = /^\{\w+\}$/.test(text) ? values[text.slice(1, -1)] : undefined
      return value === undefined ? text : h('bdi', {}, value)
    })
}

/**
 * The same as plain text, for titles and labels.
 *
 * @param {WordKey} key
 * @param {Values} values
 */
export const plain = (key, values = {}) =>
  say(key, values)
    .map((text) => (typeof text === 'string' ? text : text.textContent))
    .join('')

const paths = {
  tick: 'm5 12.5 5 5 9-10.5',
  dots: 'M5.5 12h.01M12 12h.01M18.5 12h.01',
  exclamation: 'M12 5v9M12 18.5v.01',
  window: 'M4 6h16v12H4zM4 10h16',
  person: 'M12 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M5 20c.8-3.6 3.6-5.5 7-5.5s6.2 1.9 7 5.5',
  clock: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M12 8v4.5l3 2',
}

/** @typedef {keyof typeof paths} Drawing */
/** @typedef {'' | 'wait' | 'warn' | 'bad'} Tone */

/** @param {Drawing} name */
export function draw(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  const attributes = { viewBox: '0 0 24 24', fill: 'none', stroke: 'currentColor', 'stroke-width': '2.4' }
  const ends = { 'stroke-linecap': 'round', 'stroke-linejoin': 'round', 'aria-hidden': 'true' }
  for (const [key, value] of Object.entries({ ...attributes, ...ends })) svg.setAttribute(key, value)
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  path.setAttribute('d', paths[name])
  svg.append(path)
  return svg
}

/**
 * @param {Drawing} name
 * @param {Tone} tone
 */
export const mark = (name, tone = '') => h('div', { class: `mark ${tone}`, 'aria-hidden': 'true' }, draw(name))

/** As many as can still be told from each other. */
const hues = 12

/**
 * A provider's initials in a colour of its own, the same wherever it is shown.
 *
 * @param {Provider} provider
 * @param {'' | 'large'} size
 */
export function sign(provider, size = '') {
  const [first = '', second] = provider.display_name.split(/[\s./-]+/).filter((word) => word !== '')
  const letters = [...first]
  const initials = second === undefined ? letters.slice(0, 2).join('') : `${letters[0]}${[...second][0]}`
  const tile = h('span', { class: `sign ${size}`, 'aria-hidden': 'true' }, initials)
  tile.style.setProperty('--hue', `${(hash(provider.provider_slug) % hues) * (360 / hues)}deg`)
  return tile
}

/**
 * FNV-1a: names that are alike get numbers that are not.
 *
 * @param {string} text
 */
const hash = (text) =>
  [...text].reduce((sum, letter) => Math.imul(sum ^ (letter.codePointAt(0) ?? 0), 0x01000193), 0x811c9dc5) >>> 0

/**
 * @param {string} text
 * @param {Act} listener
 * @param {'' | 'main' | 'quiet'} look
 */
export const button = (text, listener, look = '') =>
  h('button', { type: 'button', class: `button ${look}`, on: { click: listener } }, text)

/** @param {Child[]} buttons */
export const actions = (...buttons) => h('div', { class: 'actions' }, ...buttons)

/**
 * Puts a state on the page: its title is the window's, and focus goes to its heading, so that a screen reader tells it.
 *
 * @param {string} title
 * @param {...(Child | readonly Child[])} content
 */
export function show(title, ...content) {
  part('view').replaceChildren(...present(content))
  document.title = title
  part('view').querySelector('h1')?.focus()
}

/**
 * @param {WordKey} key
 * @param {Values} [values]
 */
export const heading = (key, values) => h('h1', { tabindex: '-1' }, ...say(key, values))

/**
 * A state with a drawing, a heading and little else.
 *
 * @param {WordKey} key
 * @param {Values} values
 * @param {Node} drawing
 * @param {...(Child | readonly Child[])} content
 */
export function showMiddle(key, values, drawing, ...content) {
  const below = present(content)
  /** @param {Child} node */
  const isActions = (node) => node instanceof HTMLElement && node.matches('.actions, .reference')
  const middle = h(
    'div',
    { class: 'middle' },
    drawing,
    heading(key, values),
    below.filter((node) => !isActions(node)),
  )
  show(plain(key, values), middle, below.filter(isActions))
}

/** @param {string} text */
export function announce(text) {
  part('live').textContent = text
}

/** Said where the browser keeps a window open that no script had opened. */
export function stays() {
  const view = part('view')
  if (view.querySelector('.stays') === null)
    view.append(h('p', { class: 'stays reference', role: 'status' }, words.stays))
}
