import { findAppearance, replaceAppearance } from '../store/appearance.ts'
import type { Context } from './context.ts'
import { InvalidFields } from './invalid-fields.ts'
import { requireRight, type Principal } from './principal.ts'
import { recordAdminAct } from './record-admin-act.ts'

/** How a tenant's Connect page looks. Field names are the API's. */
export interface Appearance {
  /** Whom the page names as the app; the caller's own words for it count only without. */
  readonly display_name: string | null
  /** Of buttons, `#rrggbb`. */
  readonly accent: string | null
  /** Of corners, in pixels. */
  readonly radius: number | null
  /** A `data:` address of a PNG, JPEG or WebP image. */
  readonly logo: string | null
}

const logoBytesAtMost = 48 * 1024
/** Drawn into a page, so never a format that can hold script or fetch something, as SVG can. */
const signatures: Readonly<Record<string, (bytes: Buffer) => boolean>> = {
  png: (bytes) => bytes.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex')),
  jpeg: (bytes) => bytes.subarray(0, 3).equals(Buffer.from('ffd8ff', 'hex')),
  webp: (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
}

export async function readAppearance(context: Pick<Context, 'database'>, principal: Principal): Promise<Appearance> {
  requireRight(principal, 'connectors:admin')
  const { tenantId } = principal
  const row = await findAppearance(context.database.tenant(tenantId), tenantId)
  return {
    display_name: row?.display_name ?? null,
    accent: row?.accent ?? null,
    radius: row?.radius_px ?? null,
    logo: row?.logo ?? null,
  }
}

/** Replaces all of it. Throws 422 for a logo that is not the image it says, or is too large. */
export async function writeAppearance(
  context: Pick<Context, 'database' | 'clock'>,
  principal: Principal,
  appearance: Appearance,
): Promise<Appearance> {
  requireRight(principal, 'connectors:admin')
  const problem = appearance.logo === null ? undefined : logoProblem(appearance.logo)
  if (problem !== undefined) throw new InvalidFields([{ loc: ['body', 'logo'], msg: problem, type: 'value_error' }])
  const { tenantId } = principal
  await context.database.transaction(tenantId, async (db) => {
    await replaceAppearance(db, {
      tenant_id: tenantId,
      display_name: appearance.display_name,
      accent: appearance.accent?.toLowerCase() ?? null,
      radius_px: appearance.radius,
      logo: appearance.logo,
      updated_at: context.clock.now(),
    })
    const fields = Object.entries(appearance).flatMap(([name, value]) => (value === null ? [] : name))
    await recordAdminAct(context, db, principal, {
      action: 'tenant.appearance_replaced',
      resourceType: 'tenant',
      resourceId: tenantId,
      metadata: { fields, display_name: appearance.display_name },
    })
  })
  return readAppearance(context, principal)
}

function logoProblem(logo: string): string | undefined {
  const match = /^data:image\/(png|jpeg|webp);base64,([A-Za-z0-9+/]+={0,2})$/.exec(logo)
  const [, type = '', content = ''] = match ?? []
  const isImage = signatures[type]
  if (isImage === undefined) return 'send a data: address of a PNG, JPEG or WebP image in base64'
  const bytes = Buffer.from(content, 'base64')
  if (bytes.toString('base64') !== content) return 'the base64 is not well-formed'
  if (bytes.length > logoBytesAtMost) return `ensure the image has at most ${logoBytesAtMost} bytes`
  return isImage(bytes) ? undefined : `the content is no ${type.toUpperCase()} image`
}
