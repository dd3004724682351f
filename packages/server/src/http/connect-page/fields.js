import { actions, h, heading, plain, say, show, words } from './dom.js'

/** @import { Provider, UrlVariable, Values } from './page-types.ts' */
/** @import { WordKey } from '../words/en.ts' */

/**
 * The variables of a provider's addresses that whoever connects fills in.
 *
 * @param {Provider} provider
 */
export const fieldsOf = (provider) => provider.url_variables.filter((variable) => variable.per === 'connection')

/**
 * What a provider must know before consent; what is wrong is told while typing, once a field was left.
 *
 * @param {Provider} provider
 * @param {Values} given
 * @param {{ next: (values: Values) => void, cancel: () => Node, back: Node | undefined, isRefused: boolean }} more
 */
export function showFields(provider, given, { next, cancel, back, isRefused }) {
  const fields = fieldsOf(provider).map((variable) =>
    field(variable, given[variable.name] ?? variable.default ?? '', isRefused),
  )
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault()
    const wrong = fields.filter((one) => !one.judge(true))
    if (wrong[0] !== undefined) return wrong[0].focus()
    const filled = fields.map((one) => [one.name, one.value()]).filter(([, value]) => value !== '')
    next(Object.fromEntries(filled))
  }
  const values = { provider: provider.display_name }
  const form = h(
    'form',
    { novalidate: true, on: { submit } },
    fields.map((one) => one.node),
    actions(h('button', { type: 'submit', class: 'button main' }, words.continue), back ?? cancel()),
  )
  show(plain('fields.title', values), heading('fields.title', values), h('p', {}, ...say('fields.text', values)), form)
  if (isRefused) fields.find((one) => !one.judge(true))?.focus()
}

/**
 * Whether the service may make something of it: it understands pasted addresses, and a name without its domain.
 *
 * @param {string} text
 * @param {RegExp} pattern
 * @param {string | null} example
 */
function mayBeUnderstood(text, pattern, example) {
  const domain = example?.includes('.') ? example.slice(example.indexOf('.')) : ''
  return pattern.test(text + domain) || (/[.:/]/.test(text) && !/\s/.test(text))
}

/**
 * `isRefused`: the service made nothing of what was filled in.
 *
 * @param {UrlVariable} variable
 * @param {string} initial
 * @param {boolean} isRefused
 */
function field(variable, initial, isRefused) {
  const id = `field-${variable.name}`
  const wrong = h('p', { class: 'wrong', id: `${id}-wrong`, role: 'alert' })
  let isTold = false
  const pattern = new RegExp(variable.pattern)
  /** @returns {string} */
  const value = () => input.value.trim()
  /**
   * @param {boolean} tells
   * @returns {boolean}
   */
  const judge = (tells) => {
    isTold ||= tells
    const isMissing = value() === ''
    const wasRefused = isRefused && value() === initial
    const isUnderstood = !wasRefused && mayBeUnderstood(value(), pattern, variable.example)
    const isRight = isMissing ? !variable.required : pattern.test(value()) || isUnderstood
    const text = isRight || !isTold ? '' : isMissing ? words['fields.missing'] : words['fields.wrong']
    // Written only when it changes, or a screen reader would repeat it at every key.
    if (wrong.textContent !== text) wrong.textContent = text
    input.setAttribute('aria-invalid', String(text !== ''))
    return isRight
  }
  const listeners = { input: () => judge(false), change: () => judge(value() !== '') }
  const shared = { id, 'aria-describedby': `${id}-hint ${id}-wrong`, on: listeners }
  const input =
    variable.allowed === null
      ? h('input', {
          ...shared,
          type: 'text',
          dir: 'ltr',
          autocomplete: 'off',
          autocapitalize: 'off',
          spellcheck: 'false',
          placeholder: variable.example ?? undefined,
        })
      : h(
          'select',
          shared,
          variable.allowed.map((text) => h('option', { value: text }, text)),
        )
  if (initial !== '') input.value = initial
  // The catalogue speaks English.
  const description =
    variable.description && h('p', { class: 'hint' }, h('bdi', { lang: 'en', dir: 'ltr' }, variable.description))
  const label = h('label', { for: id }, h('bdi', { lang: 'en' }, variable.title))
  const node = h(
    'div',
    {},
    label,
    input,
    h('div', { id: `${id}-hint` }, description || undefined, ...hints(variable)),
    wrong,
  )
  return { name: variable.name, node, value, judge, focus: () => input.focus() }
}

/** @param {UrlVariable} variable */
function hints(variable) {
  const { allowed, example } = variable
  if (allowed !== null) return []
  const kinds = kindsAllowed(variable).map((kind) => words[kind])
  return [
    example !== null && h('p', { class: 'hint' }, ...say('fields.example', { example })),
    kinds.length > 0 && h('p', { class: 'hint' }, ...say('fields.may_hold', { kinds: kinds.join(', ') })),
  ]
}

/** @type {readonly [WordKey, string][]} */
const marks = [
  ['fields.digits', '7'],
  ['fields.hyphens', '-'],
  ['fields.dots', '.'],
  ['fields.underscores', '_'],
]

/**
 * Which characters a value may hold, found by trying: each is put into the middle of the example's first part, and the
 * pattern says whether it still fits. A pattern that admits only whole words, such as regions, takes none.
 *
 * @param {UrlVariable} variable
 * @returns {WordKey[]}
 */
function kindsAllowed({ pattern, example }) {
  if (!example || !new RegExp(pattern).test(example)) return []
  /** @param {string} character */
  const fits = (character) => new RegExp(pattern).test(example.slice(0, 1) + character + example.slice(1))
  const [small, capital] = [fits('q'), fits('Q')]
  const others = marks.filter(([, character]) => fits(character)).map(([kind]) => kind)
  if (small && capital) return ['fields.letters', ...others]
  if (small) return ['fields.small_letters', ...others]
  return capital ? ['fields.capitals', ...others] : others
}
