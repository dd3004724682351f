/** A press that comes sooner may have been meant for something else. */
const quietMs = 1_000

/**
 * Lets a button of a dialog say yes only to a press that was made for it: the whole text has stood in view, from its top
 * to its end, and for a second nobody has pressed anything, the window has kept its size, and it has not got the focus.
 * Whoever clicks as fast as they can, or holds a press, starts that second anew.
 *
 * The button is never `disabled`, since some browsers then tell nobody of the presses on it.
 */
export function onDeliberateClick(
  button: HTMLButtonElement,
  dialog: HTMLDialogElement,
  text: HTMLElement,
  onClick: () => void,
): () => void {
  const stopped = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let isLive = false
  let isHeld = false
  /** How far down the dialog everything has been in view, whatever its window's height. */
  let seenPx = 0
  const look = (): void => {
    if (dialog.scrollTop <= seenPx) seenPx = Math.max(seenPx, dialog.scrollTop + dialog.clientHeight)
  }
  const setLive = (live: boolean): void => {
    isLive = live
    button.setAttribute('aria-disabled', String(!live))
    button.style.opacity = live ? '' : '.5'
  }
  const wait = (): void => {
    setLive(false)
    look()
    clearTimeout(timer)
    timer = setTimeout(() => {
      look()
      setLive(seenPx >= text.offsetTop + text.offsetHeight)
    }, quietMs)
  }
  const { signal } = stopped
  const onPress = (names: string, act: () => void): void => {
    for (const name of names.split(' ')) addEventListener(name, act, { capture: true, signal })
  }
  onPress('pointerdown keydown', () => {
    if (isLive) return
    isHeld = true
    wait()
  })
  // It comes before the click that the press ends in.
  onPress('pointerup pointercancel keyup', () => {
    if (isHeld) wait()
    isHeld = false
  })
  addEventListener('focus', wait, { signal })
  addEventListener(
    'resize',
    () => {
      seenPx = 0
      wait()
    },
    { signal },
  )
  dialog.addEventListener('scroll', () => {
    if (!isLive) wait()
  })
  button.addEventListener('click', () => {
    if (isLive) onClick()
  })
  wait()
  return () => {
    stopped.abort()
    clearTimeout(timer)
  }
}
