import { Socket } from 'node:net'

/**
 * A socket that sends together what one turn of the event loop has written.
 *
 * The driver writes each statement by itself (it corks and uncorks around each), and a write is a call of the system,
 * which costs more than all else that a small statement costs this process.
 */
export class BatchingSocket extends Socket {
  #isHeld = false

  override cork(): void {
    if (this.#isHeld) return
    this.#isHeld = true
    super.cork()
    setImmediate(() => {
      this.#isHeld = false
      super.uncork()
    })
  }

  /** Does nothing: what is held is sent at the end of the turn. */
  override uncork(): void {}

  /** Also called when the other side ends: held back then, the end would not come, and statements would wait for it. */
  override end(...args: unknown[]): this {
    super.uncork()
    // Handed on as they came; the types of `end` know no tuple of all its forms.
    return super.end(...(args as []))
  }
}
