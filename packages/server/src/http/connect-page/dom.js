/** Elements, words and drawings. Whatever comes from outside becomes text, never markup. */

export const config = JSON.parse(document.getElementById('config').textContent)
export const { words } = config

/** Makes an element; `children` are nodes and text, and what is absent is left out. */
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue
    if (key === 'on') for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener)
    else element.setAttribute(key, value === true ? '' : value)
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== false))
  return element
}

/** A sentence with values put in, each apart from the direction of the text around it. */
export function say(key, values = {}) {
  return words[key]
    .split(/(\{\w+\})/)
    .filter((part) => part !== '')
    .map((part) => {
      const value = /^\{\w+\}$/.test(part) ? values[part.slice(1, -1)] : undefined
      return value === undefined ? part : h('bdi', {}, value)
    })
}

/** The same as plain text, for titles and labels. */
export const plain = (key, values = {}) =>
  say(key, values)
    .map((part) => (typeof part === 'string' ? part : part.textContent))
    .join('')

const paths = {
  tick: 'm5 12.5 5 5 9-10.5',
  dots: 'M5.5 12h.01M12 12h.01M18.5 12h.01',
  exclamation: 'M12 5v9M12 18.5v.01',
  window: 'M4 6h16v12H4zM4 10h16',
  person: 'M12 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M5 20c.8-3.6 3.6-5.5 7-5.5s6.2 1.9 7 5.5',
  clock: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M12 8v4.5l3 2',
}

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

export const mark = (name, tone = '') => h('div', { class: `mark ${tone}`, 'aria-hidden': 'true' }, draw(name))

/** A provider's initials in a colour of its own. */
export function sign(provider, size = '') {
  const parts = provider.display_name.split(/[\s./-]+/).filter((part) => part !== '')
  const first = [...(parts[0] ?? '')]
  const initials = parts.length > 1 ? first[0] + [...parts[1]][0] : first.slice(0, 2).join('')
  const sum = [...provider.provider_slug].reduce((total, letter) => total * 31 + letter.codePointAt(0), 7)
  return h('span', { class: `sign ${size}`, 'data-hue': String(Math.abs(sum) % 6), 'aria-hidden': 'true' }, initials)
}

export const button = (text, listener, look = '') =>
  h('button', { type: 'button', class: `button ${look}`, on: { click: listener } }, text)

export const actions = (...buttons) => h('div', { class: 'actions' }, ...buttons)

/** Puts a state on the page: its title is the window's, and focus goes to its heading, so that a screen reader tells it. */
export function show(title, ...content) {
  const heading = content.flat().find((node) => node instanceof HTMLElement && node.matches('h1, :has(h1)'))
  document
    .getElementById('view')
    .replaceChildren(...content.flat().filter((node) => node !== undefined && node !== false))
  document.title = title
  const target = heading?.matches('h1') ? heading : heading?.querySelector('h1')
  target?.focus()
}

export const heading = (key, values) => h('h1', { tabindex: '-1' }, ...say(key, values))

/** A state with a drawing, a heading and little else. */
export function showMiddle(key, values, drawing, ...content) {
  const below = content.flat().filter((node) => node !== undefined && node !== false)
  const isActions = (node) => node instanceof HTMLElement && node.matches('.actions, .reference, details')
  const middle = h(
    'div',
    { class: 'middle' },
    drawing,
    heading(key, values),
    below.filter((node) => !isActions(node)),
  )
  show(plain(key, values), middle, below.filter(isActions))
}

export function announce(text) {
  document.getElementById('live').textContent = text
}

/** Said where the browser keeps a window open that no script had opened. */
export function stays() {
  const view = document.getElementById('view')
  if (view.querySelector('.stays') === null)
    view.append(h('p', { class: 'stays reference', role: 'status' }, words.stays))
}
