/**
 * Reads the OAuth 2 connections of a Nango environment and writes them as JSON lines for `connector-oauth import`.
 *
 * `NANGO_SECRET_KEY=… node scripts/from-nango.mjs mapping.json > accounts.jsonl`; see docs/migrating.md. Plain JavaScript without
 * dependencies, so that it can be taken along to where Nango runs.
 */
import { readFileSync } from 'node:fs'

const base = (process.env.NANGO_URL ?? 'https://api.nango.dev').replace(/\/$/, '')
const deadlineMs = 30_000

/** @param {string} path */
async function ask(path) {
  const reply = await fetch(base + path, {
    headers: { authorization: `Bearer ${process.env.NANGO_SECRET_KEY}` },
    redirect: 'error',
    signal: AbortSignal.timeout(deadlineMs),
  })
  if (!reply.ok) throw new Error(`Nango answered ${reply.status} to ${path.replace(/\?.*/, '')}`)
  return reply.json()
}

/** @param {{ providers: Record<string, string>, tenant_id?: string, space_id?: string, collection_id?: string }} mapping */
async function writeAccounts(mapping) {
  const { connections } = await ask('/connections')
  let written = 0
  for (const { connection_id: id, provider_config_key: key, metadata, tags, end_user: endUser } of connections) {
    const slug = mapping.providers[key]
    if (slug === undefined) {
      console.error(`${id}: ${key} is not in the mapping's providers; left out`)
      continue
    }
    const query = new URLSearchParams({ provider_config_key: key, refresh_token: 'true' })
    const answer = await ask(`/connections/${encodeURIComponent(id)}?${query.toString()}`).catch((error) => {
      // Such as 424, when it could not be refreshed; the others can still be had.
      console.error(`${id}: ${String(error.message)}; left out`)
      process.exitCode = 1
    })
    if (answer === undefined) continue
    const { credentials } = answer
    if (credentials?.type !== 'OAUTH2') {
      console.error(`${id}: ${String(credentials?.type ?? 'no credentials')}, not OAuth 2; left out`)
      continue
    }
    const account = {
      tenant_id: tags?.organization_id ?? endUser?.organization?.id ?? mapping.tenant_id,
      principal_id: tags?.end_user_id ?? endUser?.id,
      space_id: metadata?.space_id ?? mapping.space_id,
      collection_id: metadata?.collection_id ?? mapping.collection_id,
      provider_slug: slug,
      connector_id: id,
      access_token: credentials.access_token,
      refresh_token: credentials.refresh_token ?? undefined,
      expires_at: credentials.expires_at ?? undefined,
    }
    process.stdout.write(`${JSON.stringify(account)}\n`)
    written += 1
  }
  console.error(`${written} of ${connections.length} connections written`)
}

const [mappingFile] = process.argv.slice(2)
if (mappingFile === undefined || !process.env.NANGO_SECRET_KEY) {
  console.error('Usage: NANGO_SECRET_KEY=… node scripts/from-nango.mjs mapping.json > accounts.jsonl')
  process.exitCode = 2
} else {
  await writeAccounts(JSON.parse(readFileSync(mappingFile, 'utf8')))
}
