import type { ProviderDefinition } from '../core/provider-definition.ts'
import { isAllowedValue } from '../oauth/endpoints.ts'
import { hostOf, placeholdersIn, urlFields } from '../providers/url-values.ts'
import { wholeEnding } from '../providers/connection-variables.ts'

/**
 * The value that somebody means who pasted an address, a host or a name in capitals: `https://Acme.zendesk.com/agent`
 * means `acme`, `my-store` means `my-store.myshopify.com`. `undefined` where no reading, or more than one, fits the pattern.
 *
 * Only what this service makes of the text is ever used, never the text: what is cut off here names no host.
 */
export function understandValue(definition: ProviderDefinition, name: string, text: string): string | undefined {
  const typed = text.trim()
  if (isAllowedValue(definition, name, typed)) return typed
  // Lower case of other alphabets can be ASCII (the Kelvin sign), and look-alikes are nobody's shop.
  if (!/^[\x21-\x7e]{1,300}$/.test(typed)) return undefined
  const host = typed
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/[/?#].*$/, '')
  // A user name, a port or an escape makes an address of another kind, which nobody meant to name a shop with; and `one/two`
  // is no address at all.
  if (!/^[a-z0-9._-]+$/.test(host) || (host.length < typed.length && !host.includes('.'))) return undefined
  const readings = new Set([host, ...partsOf(definition, name, host), ...completed(definition, name, host)])
  const [only, ...others] = [...readings].filter((reading) => isAllowedValue(definition, name, reading))
  return others.length === 0 ? only : undefined
}

/** What stands in the variable's place, for each address whose host it is part of. */
function partsOf(definition: ProviderDefinition, name: string, host: string): string[] {
  return urlFields.flatMap((field) => {
    const template = hostOf(definition[field] ?? '')
    const [before = '', after = '', ...more] = template.split(`{${name}}`)
    if (more.length > 0 || placeholdersIn(template).length !== 1 || before + after === '') return []
    const isThere = host.startsWith(before) && host.endsWith(after) && host.length > before.length + after.length
    return isThere ? [host.slice(before.length, host.length - after.length)] : []
  })
}

/** A name without dots, where the value is a whole host that can only end in one way. */
function completed(definition: ProviderDefinition, name: string, host: string): string[] {
  const ending = host.includes('.') ? undefined : wholeEnding(definition, name)
  return ending === undefined ? [] : [host + ending]
}
