import { Type } from 'typebox'
import { Timestamp, data, nullable } from './common.ts'

const DataKey = Type.Object({
  epoch: Type.Integer({ minimum: 1 }),
  state: Type.Enum(['seals', 'opens'], {
    description: '`seals`: the newest, new values are sealed with it; `opens`: what it sealed is being sealed anew',
  }),
  key_encryption_key_id: Type.String({ description: 'The entry of ENCRYPTION_KEYS that wraps it' }),
  created_at: Timestamp,
  encryptions: Type.Integer({ description: 'How often it has sealed, as far as that was counted yet' }),
})

/** The tenant's data keys; the keys themselves are never told. */
export const Keys = data(
  Type.Object({
    data_keys: Type.Array(DataKey, { description: 'The newest first' }),
    rotation: nullable(
      Type.Object({
        epoch: Type.Integer({ description: 'What is being rotated to' }),
        started_at: Timestamp,
        superseded: Type.Integer({ description: 'Older data keys that something may still be sealed with' }),
      }),
    ),
  }),
)

export const KeyRotation = data(DataKey)
