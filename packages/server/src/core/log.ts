/** Ids, words and numbers; never a value that came from outside, and nothing that names a person. */
export type LogFields = Readonly<Record<string, string | number | undefined>>

/** Where flows tell an operator what no caller is told. A line says by itself which request it belongs to. */
export interface Log {
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
}

/** Where nobody reads along: the command line. */
export const noLog: Log = { info: () => {}, warn: () => {} }
