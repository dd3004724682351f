/** Whether PostgreSQL can hold a text: one with a NUL or half of a surrogate pair would fail its whole statement. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}
