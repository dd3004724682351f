/** A note in a user's sandbox account. */
export interface Note {
  readonly id: string
  readonly title: string
  readonly text: string
  /** RFC 3339. */
  readonly created_at: string
}

/** A piece of a list; `nextCursor` is absent on the last one. */
export interface NotePage {
  readonly notes: readonly Note[]
  readonly nextCursor: string | undefined
}

/** The notes of all users, in memory. */
export interface NoteBook {
  /** Oldest first. `undefined` when the cursor is not one of ours. */
  list(subject: string, cursor: string | undefined, limit: number): NotePage | undefined
  /** `undefined` when the account holds 1000 notes already. */
  add(subject: string, title: string, text: string): Note | undefined
}

const SEEDS: readonly (readonly [title: string, text: string])[] = [
  ['Welcome', 'This account exists only in the sandbox. Its notes vanish when the sandbox stops.'],
  ['Shopping', 'Oats, coffee, lemons.'],
  ['Meeting', 'Ask which scopes the integration needs before the next one.'],
  ['Idea', 'Rotate the refresh token and see who notices.'],
  ['Reading list', 'RFC 6749, RFC 7636, RFC 9700.'],
]
const SEEDED_AT = Date.UTC(2026, 0, 5, 9)
const DAY_MS = 86_400_000
const MAX_NOTES = 1000

export function noteBook(): NoteBook {
  const books = new Map<string, Note[]>()
  const bookOf = (subject: string) => {
    const book =
      books.get(subject) ?? SEEDS.map(([title, text], day) => note(day + 1, title, text, SEEDED_AT + day * DAY_MS))
    books.set(subject, book)
    return book
  }
  return {
    list(subject, cursor, limit) {
      const start = cursor === undefined ? 0 : offsetOf(cursor)
      if (start === undefined) return undefined
      const book = bookOf(subject)
      const end = start + limit
      return { notes: book.slice(start, end), nextCursor: end < book.length ? cursorAt(end) : undefined }
    },
    add(subject, title, text) {
      const book = bookOf(subject)
      if (book.length >= MAX_NOTES) return undefined
      const added = note(book.length + 1, title, text, Date.now())
      book.push(added)
      return added
    },
  }
}

function note(number: number, title: string, text: string, createdAt: number): Note {
  return { id: `note-${number}`, title, text, created_at: new Date(createdAt).toISOString() }
}

// Opaque on the outside, so that callers do not count on it being a number.
function cursorAt(offset: number): string {
  return Buffer.from(`after:${offset}`).toString('base64url')
}

function offsetOf(cursor: string): number | undefined {
  const [, digits] = /^after:(\d{1,6})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? []
  return digits === undefined ? undefined : Number(digits)
}
