/** A piece of a page whose every inserted value has been escaped. */
export interface Html {
  readonly markup: string
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

type Insertion = string | Html | undefined | readonly Html[]

/** Template tag that escapes what it inserts, save other `Html`; attribute values must stand in double quotes. */
export function html(texts: TemplateStringsArray, ...insertions: readonly Insertion[]): Html {
  return { markup: texts.map((text, index) => text + render(insertions[index])).join('') }
}

function render(insertion: Insertion): string {
  if (insertion === undefined) return ''
  if (typeof insertion === 'string') return insertion.replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] ?? '')
  return 'markup' in insertion ? insertion.markup : insertion.map(render).join('')
}
