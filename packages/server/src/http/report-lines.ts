import type { ReceiptView } from '../domain/mass-revocations.ts'

export const reportTypes = { csv: 'text/csv; charset=utf-8; header=present', jsonl: 'application/jsonl' } as const

const columns = [
  'connector_id',
  'space_id',
  'collection_id',
  'provider_slug',
  'revocation_id',
  'status',
  'reason',
  'attempts',
  'disconnected_at',
  'finished_at',
] as const satisfies readonly (keyof ReceiptView)[]

/** One receipt a line: CSV with a header (RFC 4180), or JSON. */
export async function* reportLines(
  receipts: AsyncIterable<ReceiptView>,
  format: keyof typeof reportTypes,
): AsyncGenerator<string> {
  if (format === 'csv') yield `${columns.join(',')}\r\n`
  for await (const receipt of receipts) {
    yield format === 'jsonl'
      ? `${JSON.stringify(receipt)}\n`
      : `${columns.map((column) => csvField(receipt[column])).join(',')}\r\n`
  }
}

/**
 * A field that a spreadsheet takes for what it is. One that begins like a formula would be run (OWASP, CSV injection);
 * ids that callers choose may begin with a hyphen.
 */
function csvField(value: string | number | null): string {
  const text = String(value ?? '')
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
