/**
 * A tenant's colours and corners as CSS variables. Only what fits these forms comes through, whatever stands in the
 * database: the text goes into a style element.
 */
export function themeOf(look: { readonly accent: string | null; readonly radius_px: number | null }): string {
  const accent = look.accent !== null && /^#[0-9a-f]{6}$/.test(look.accent) ? look.accent : undefined
  const radius = look.radius_px
  return [
    accent === undefined ? '' : `--accent: ${accent}; --on-accent: ${inkOn(accent)};`,
    radius === null || !Number.isInteger(radius) ? '' : `--radius: ${radius}px;`,
  ].join(' ')
}

/** Black or white, whichever is easier to read on a colour; one of them has a contrast of at least 4.5 (WCAG 2.2, 1.4.3). */
export function inkOn(colour: string): string {
  const luminance = luminanceOf(colour)
  return 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 ? '#fff' : '#000'
}

function luminanceOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
