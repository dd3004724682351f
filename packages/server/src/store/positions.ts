/**
 * A condition that narrows events, or entries of the record, to the positions in which times between two parameters can stand.
 * Either may be null. It only narrows: the times themselves are to be compared as well.
 *
 * Positions are given at commit, so they go with the time but for the few seconds that a transaction takes, and uses that were
 * held up are dated when they are written: those five minutes let a search by time begin close to where it should, as long as
 * the clocks of processes differ by less.
 */
export const positionsBetween = (from: string, to: string): string =>
  `position > greatest(0::bigint, position_before($1, ${from}::timestamptz - interval '5 minutes'))
     and position <= least(9223372036854775807, position_before($1, ${to}::timestamptz + interval '5 minutes'))`
