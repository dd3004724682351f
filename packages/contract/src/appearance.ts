import { Type, type Static } from 'typebox'
import { closed, data, described, nullable } from './common.ts'
import { Shown } from './connect-sessions.ts'

const Accent = Type.String({ pattern: '^#[0-9A-Fa-f]{6}$' })
const Logo = Type.String({ maxLength: 66_000, pattern: '^data:image/' })

/** `PUT /v1/admin/tenant/appearance`: what is left out goes back to the default. */
export const AppearanceBody = Type.Object(
  {
    display_name: Type.Optional(nullable(Shown)),
    accent: Type.Optional(described(nullable(Accent), 'Colour of buttons, `#rrggbb`')),
    radius: Type.Optional(described(nullable(Type.Integer({ minimum: 0, maximum: 24 })), 'Of corners, in pixels')),
    logo: Type.Optional(described(nullable(Logo), 'A PNG, JPEG or WebP image of up to 48 KiB as a data: address')),
  },
  closed,
)
export type AppearanceBody = Static<typeof AppearanceBody>

export const AppearanceAnswer = data(
  Type.Object({
    display_name: nullable(Type.String()),
    accent: nullable(Type.String()),
    radius: nullable(Type.Integer()),
    logo: nullable(Type.String()),
  }),
)
