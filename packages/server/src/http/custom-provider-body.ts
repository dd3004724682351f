import { Type } from 'typebox'
import { CustomProviderBody } from '@connector-oauth/contract/providers.ts'
import { ProviderDefinition } from '../core/provider-definition.ts'

// The slug is minted here: one of the caller's choice could take another provider's redirect URI.
const { slug: _, ...fields } = ProviderDefinition.properties

/** A posted provider: any field of a catalogue entry but its slug, endpoints perhaps left to discovery, and the provider app. */
export const PostedProvider = Type.Object(
  { ...Type.Partial(Type.Object(fields)).properties, ...CustomProviderBody.properties },
  { additionalProperties: false },
)
