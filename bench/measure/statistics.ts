/** How a series of figures is told: where its middle is, and how far it spread. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Throws on an empty series: there is nothing to tell. */
export function spreadOf(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((a, b) => a - b)
  const at = (index: number): number => {
    const figure = sorted[index]
    if (figure === undefined) throw new Error('No figures were measured')
    return figure
  }
  const middle = (sorted.length - 1) / 2
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  }
}

/** Round by round, since two figures of one round met the same state of the machine. */
export function pairedRatios(ours: readonly number[], theirs: readonly number[]): readonly number[] {
  if (ours.length !== theirs.length) throw new Error('Paired series have one length')
  return ours.map((figure, round) => figure / (theirs[round] ?? Number.NaN))
}
