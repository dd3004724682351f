import { onDeliberateClick } from './deliberate.ts'
import { questionWords } from './question-words.ts'

/**
 * Asks in this page whether an account shall be connected that this tab did not begin to connect. Everything but the one
 * button means no: Escape, the other button, which has the focus, and leaving the page.
 *
 * `window.confirm` would not do: in-app browsers show none, and nobody can say in which language its buttons are.
 */
export function askUser(provider: string | undefined, locale: string | undefined): Promise<boolean> {
  const wanted = (locale ?? (document.documentElement.lang || navigator.language)).toLowerCase().split(/[-_]/)[0] ?? ''
  const language = Object.hasOwn(questionWords, wanted) ? wanted : 'en'
  const [title, text, yes, no] = (questionWords[language] ?? []).map((words) => words.replaceAll('{}', provider ?? ''))
  const dialog = document.createElement('dialog')
  dialog.className = 'connector-oauth-question'
  dialog.lang = language
  dialog.dir = language === 'ar' ? 'rtl' : 'ltr'
  dialog.style.cssText =
    'box-sizing:border-box;max-width:min(30rem,100% - 2rem);max-height:100%;overflow:auto;overflow-wrap:anywhere;padding:1.5rem;border:1px solid;border-radius:.75rem;font:1rem/1.5 system-ui'
  const add = <Name extends 'h2' | 'p' | 'button'>(name: Name, words: string | undefined) => {
    const element = document.createElement(name)
    element.textContent = words ?? ''
    element.style.cssText =
      name === 'button' ? 'font:inherit;padding:.5rem 1rem;margin-inline-end:.5rem' : 'margin:0 0 1rem'
    dialog.append(element)
    return element
  }
  add('h2', title).id = 'connector-oauth-title'
  const textElement = add('p', text)
  textElement.id = 'connector-oauth-text'
  dialog.setAttribute('aria-labelledby', 'connector-oauth-title')
  dialog.setAttribute('aria-describedby', 'connector-oauth-text')
  const noButton = add('button', no)
  const yesButton = add('button', yes)
  document.body.append(dialog)
  dialog.showModal()
  // The focus is on a button, and a small window was scrolled there.
  dialog.scrollTop = 0
  return new Promise((resolve) => {
    const end = (isWanted: boolean): void => {
      stop()
      dialog.close()
      dialog.remove()
      resolve(isWanted)
    }
    const stop = onDeliberateClick(yesButton, dialog, textElement, () => end(true))
    noButton.addEventListener('click', () => end(false))
    dialog.addEventListener('close', () => end(false))
  })
}
