/** Where the time comes from, so that tests can give it. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** `date` moved by `ms` milliseconds. */
export function plusMs(date: Date, ms: number): Date {
  return new Date(date.getTime() + ms)
}
