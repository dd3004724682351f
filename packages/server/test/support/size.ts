/** Repetitions and rows: as many as an ordinary run has time for, or with `TEST_SIZE=full` as many as are promised. */
export function sized(usual: number, full: number): number {
  return process.env['TEST_SIZE'] === 'full' ? full : usual
}
