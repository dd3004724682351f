/**
 * A key cannot be used now: its key service does not answer, or this process was not given it. What it sealed is whole;
 * the caller may try again. The message names the key and says what to do, and holds no secret.
 */
export class KeyUnavailable extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'KeyUnavailable'
  }
}
