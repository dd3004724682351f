/** Tells a window that was closed from one that only looks so. */
export interface WindowWatch {
  readonly isGone: () => boolean
  readonly stop: () => void
}

const tickMs = 250
const doubtful = 5

/**
 * A window that a provider's pages cut off looks closed for ever, and is not. Who uses it is there and not here, so only
 * the time counts that this page has the focus; and a window that began to look closed while the focus was elsewhere
 * gets five times the grace.
 */
export function watchWindow(popup: Window, graceMs: number): WindowWatch {
  let closedMs = 0
  let neededMs: number | undefined
  const timer = setInterval(() => {
    if (!popup.closed) return
    neededMs ??= document.hasFocus() ? graceMs : graceMs * doubtful
    if (document.hasFocus()) closedMs += tickMs
  }, tickMs)
  return {
    isGone: () => neededMs !== undefined && closedMs >= neededMs,
    stop: () => clearInterval(timer),
  }
}
