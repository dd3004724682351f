import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { importsOf, layerOf, violations, type Architecture, type SourceFile } from './support/architecture.ts'

const everything = ['core', 'store', 'oauth', 'providers', 'vault', 'domain', 'http', 'worker', 'config', 'cli', 'top']

const rules: Architecture = {
  mayImport: {
    core: [],
    store: ['core'],
    oauth: ['core'],
    providers: ['core'],
    vault: ['core'],
    domain: ['store', 'oauth', 'providers', 'vault', 'core'],
    http: ['domain', 'core'],
    worker: ['domain', 'core', 'store/jobs.ts'],
    config: ['core', 'vault'],
    cli: everything,
    top: everything,
  },
  workspacePackages: {
    '@connector-oauth/contract': ['http', 'cli', 'top'],
    '@connector-oauth/sandbox': ['cli', 'top'],
  },
  owned: [
    { what: 'the database driver', modules: ['pg', 'pg-boss'], owners: ['store/'] },
    {
      what: 'the web server',
      modules: ['fastify', '@fastify', '@scalar/fastify-api-reference'],
      owners: ['http/', 'compose.ts', 'serve.ts'],
    },
    {
      what: 'encryption',
      words: /\bcreate(?:Cipher|Decipher)iv\b|\bsubtle\b|\b(?:public|private)(?:En|De)crypt\b/,
      owners: ['vault/'],
    },
    {
      what: 'the way out',
      modules: ['undici', 'node:http', 'node:https', 'node:http2', 'node:tls', 'node:dgram'],
      // A call of the global `fetch`, not a method or a declaration of that name.
      words: /(?<![.\w$])fetch\s*\((?![^)\n]*\)\s*:)/,
      owners: [
        'oauth/egress.ts',
        'oauth/egress-head.ts',
        'oauth/egress-pools.ts',
        'oauth/egress-send.ts',
        'oauth/egress-stream.ts',
      ],
    },
    {
      // Its exporter is the one request past the guarded client: to the collector that the operator named, made by its library.
      what: 'tracing',
      modules: ['@opentelemetry', '@fastify/otel'],
      owners: ['tracing.ts'],
    },
    { what: 'metrics', modules: ['prom-client'], owners: ['metrics.ts'] },
    {
      what: 'a socket',
      modules: ['node:net'],
      owners: [
        'oauth/egress.ts',
        'oauth/egress-send.ts',
        'oauth/address-rules.ts',
        'store/batching-socket.ts',
        'store/shared-reader.ts',
        'store/embedded-server.ts',
        'serve.ts',
      ],
    },
    {
      what: 'another program',
      modules: ['node:child_process', 'node:cluster', 'node:worker_threads'],
      owners: [
        'store/embedded-account.ts',
        'store/embedded-cluster.ts',
        'store/embedded-server.ts',
        'cli/',
        // A thread that is given nothing of this process's.
        'http/reference-files.ts',
        'http/render-reference.ts',
      ],
    },
    {
      what: 'the environment',
      modules: ['node:process', 'process'],
      words: /\bprocess\s*(?:\?\.|\.|\[\s*['"])\s*env\b|\benv\b[^}]*\}\s*=\s*(?:globalThis\.)?process\b/,
      owners: ['config.ts'],
    },
    {
      what: 'plaintext of a secret (.reveal)',
      words: /\breveal\b/,
      owners: [
        'core/secret.ts',
        // Seals and unseals.
        'vault/vault.ts',
        // Shows the token of the transit engine's server.
        'vault/transit.ts',
        // Signs checkpoints of the audit record.
        'vault/signing.ts',
        // Puts it on the wire.
        'oauth/api-call.ts',
        'oauth/callback.ts',
        'oauth/client-auth.ts',
        'oauth/id-token.ts',
        'oauth/pkce.ts',
        // Keeps it out of what a caller gets.
        'oauth/proxy-headers.ts',
        'oauth/token-mask.ts',
        'oauth/revocation-request.ts',
        'oauth/token-request.ts',
        'oauth/userinfo.ts',
        // Hands it to the caller it belongs to, or compares its digest.
        'domain/authorize.ts',
        'domain/callback.ts',
        'domain/complete.ts',
        'domain/caller-context.ts',
        'domain/connect-sessions.ts',
        'domain/exchange.ts',
        'domain/import-connector.ts',
        'http/routes/leases.ts',
        'domain/start-session.ts',
        'domain/webhook-secrets.ts',
        'http/browser-binding.ts',
        'http/routes/callback.ts',
        'http/routes/connectors.ts',
        'http/routes/sessions.ts',
        'http/routes/webhooks.ts',
        // Signs and checks bearer tokens, prints a sign-in link, registers the sandbox's client.
        'compose.ts',
        'serve.ts',
        'cli/login-link.ts',
        'sandbox-provider.ts',
        // Passwords of the database on this machine.
        'store/embedded-cluster.ts',
        'store/embedded-postgres.ts',
        'store/embedded-server.ts',
      ],
    },
  ],
  maxLines: 250,
  longFiles: {
    'core/provider-definition.ts': 'one schema, whose parts are read together',
    'core/problem-cures.ts': 'a table with an entry for every code',
    'store/rows.ts': 'generated',
  },
}

const source = fileURLToPath(new URL('../src/', import.meta.url))
const files: readonly SourceFile[] = globSync('**/*.{ts,js,mjs,cjs,mts,cts}', { cwd: source })
  // Scripts of pages run in a browser.
  .filter((file) => !file.startsWith(path.join('http', 'connect-page') + path.sep))
  .map((file) => ({
    path: file.replaceAll(path.sep, '/'),
    text: readFileSync(path.join(source, file), 'utf8'),
  }))

describe('the architecture', () => {
  it('holds', () => {
    assert.deepEqual(violations(files, rules), [])
  })

  it('is checked on files of every layer', () => {
    const found = new Set(files.map((file) => layerOf(file.path)))
    assert.deepEqual([...found].toSorted(), Object.keys(rules.mayImport).toSorted())
  })

  it('lists no owner and no exception that is gone', () => {
    const listed = [...rules.owned.flatMap((thing) => thing.owners), ...Object.keys(rules.longFiles)]
    const gone = listed.filter((name) => !files.some((file) => file.path === name || file.path.startsWith(name)))
    assert.deepEqual(gone, [])
    for (const name of Object.keys(rules.longFiles)) {
      const lines =
        files
          .find((file) => file.path === name)
          ?.text.trimEnd()
          .split('\n').length ?? 0
      assert.ok(lines > rules.maxLines || name === 'store/rows.ts', `${name} is short now; take it off the list`)
    }
  })

  it('lists no caller of reveal that does not call it', () => {
    const callers = rules.owned.find((thing) => thing.what.includes('reveal'))?.owners ?? []
    const idle = callers.filter((name) => !files.some((file) => file.path === name && file.text.includes('reveal')))
    assert.deepEqual(idle, [])
  })
})

describe('the check itself', () => {
  const planted: readonly (readonly [path: string, text: string, finding: RegExp])[] = [
    ['core/a.ts', `import { x } from '../store/connectors.ts'`, /core may not import store\/connectors\.ts/],
    ['store/a.ts', `import type { X } from '../oauth/token-call.ts'`, /store may not import oauth/],
    ['oauth/a.ts', `export { x } from '../vault/vault.ts'`, /oauth may not import vault/],
    ['vault/a.ts', `import {\n  one,\n  two,\n} from '../store/data-keys.ts'`, /vault may not import store/],
    ['providers/a.ts', `import '../oauth/egress.ts'`, /providers may not import oauth/],
    ['domain/a.ts', `const x = await import('../http/server.ts')`, /domain may not import http/],
    ['domain/a.ts', `import { config } from '../config.ts'`, /domain may not import config\.ts/],
    ['http/a.ts', `type X = import('../store/rows.ts').ConnectorRow`, /http may not import store/],
    ['http/routes/a.ts', `import { x } from '../../vault/vault.ts'`, /http may not import vault/],
    ['worker/a.ts', `import { x } from '../store/connectors.ts'`, /worker may not import store/],
    ['domain/a.ts', `import { x } from '@connector-oauth/contract/oauth.ts'`, /domain may not import @connector-oauth/],
    ['http/a.ts', `import { x } from '@connector-oauth/sandbox'`, /http may not import @connector-oauth\/sandbox/],
    ['http/a.ts', `import { x } from '../../test/support/x.ts'`, /lies outside src/],
    ['http/a.ts', `import { x } from './route'`, /lacks its extension/],
    ['novel/a.ts', '', /the layer novel is not in the table/],
    ['domain/a.ts', `import pg from 'pg'`, /the database driver belongs to store/],
    ['worker/a.ts', `import { PgBoss } from 'pg-boss'`, /the database driver/],
    ['domain/a.ts', `import type { FastifyRequest } from 'fastify'`, /the web server/],
    ['worker/a.ts', `import cors from '@fastify/cors'`, /the web server/],
    ['domain/a.ts', `createCipheriv('aes-256-gcm', key, nonce)`, /encryption belongs to vault/],
    ['oauth/a.ts', `await crypto.subtle.encrypt({}, key, data)`, /encryption/],
    ['oauth/a.ts', `import { request } from 'undici'`, /the way out belongs to oauth\/egress/],
    ['http/a.ts', `import https from 'node:https'`, /the way out/],
    ['domain/a.ts', `const reply = await fetch('https://example.com')`, /the way out/],
    ['domain/a.ts', `import { connect } from 'node:net'`, /a socket/],
    ['http/a.ts', `import { spawn } from 'node:child_process'`, /another program/],
    ['main.ts', `if (process.env.PORT) start()`, /the environment belongs to config/],
    ['domain/a.ts', `const { env } = process`, /the environment/],
    ['domain/a.ts', `const port = process['env']['PORT']`, /the environment/],
    ['domain/a.ts', `import { env } from 'node:process'`, /the environment/],
    ['http/a.ts', `send(token.reveal())`, /plaintext of a secret/],
    ['http/a.ts', `const { reveal } = token`, /plaintext of a secret/],
    ['http/a.ts', 'export const a = 1\n'.repeat(251), /251 lines, more than 250/],
    ['http/a.ts', `export * from './route.ts'`, /a barrel/],
    ['http/a.ts', `let counter = 0`, /module-level state/],
    ['http/a.ts', `await import(name)`, /imports a computed path/],
    ['http/a.ts', `const x = require('pg')`, /require/],
  ]
  for (const [file, text, finding] of planted) {
    it(`finds ${JSON.stringify(text.slice(0, 60))} in ${file}`, () => {
      assert.match(violations([{ path: file, text }], rules).join('\n'), finding)
    })
  }

  it('takes what is allowed', () => {
    const allowed: readonly SourceFile[] = [
      { path: 'domain/a.ts', text: `import { x } from '../store/connectors.ts'\nimport { y } from './page.ts'` },
      { path: 'store/a.ts', text: `// as in process.env, or fetch(url)\nimport pg from 'pg'` },
      {
        path: 'http/a.ts',
        text: `/** Never .reveal() here. */\nexport const url = 'https://example.com' // fetch(url)`,
      },
      { path: 'oauth/a.ts', text: `egress.fetch(url)\ninterface A {\n  fetch(input: string): Promise<void>\n}` },
      { path: 'main.ts', text: `import { x } from './compose.ts'` },
    ]
    assert.deepEqual(violations(allowed, rules), [])
  })

  it('sees every form of import', () => {
    const text = `
import 'a'
import b from 'b'
import * as c from "c"
import d, { type D } from 'd'
import {
  e,
  f,
} from 'e'
import type { G } from 'g'
export { h } from 'h'
export type { I } from 'i'
const j = await import('j')
type K = import('k').K
`
    assert.deepEqual(importsOf(text).toSorted(), ['a', 'b', 'c', 'd', 'e', 'g', 'h', 'i', 'j', 'k'])
  })
})
