import { inspect } from 'node:util'

/**
 * A plaintext secret that prints as `[redacted]` wherever it is printed by accident:
 * string templates, `JSON.stringify`, `util.inspect`, loggers.
 *
 * `reveal()` has a handful of callers; the architecture test lists them.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  equals(other: Secret): boolean {
    return this.#value === other.#value
  }

  toString(): string {
    return '[redacted]'
  }

  toJSON(): string {
    return '[redacted]'
  }

  [inspect.custom](): string {
    return '[redacted]'
  }
}
