/**
 * Runs in a thread of its own, which ends when it has answered: the script of the API reference is text in a module of 5 MB,
 * and would take 20 MB for as long as the module is loaded.
 */
import { parentPort } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import scalar from '@scalar/fastify-api-reference'
import fastify from 'fastify'
import type { ReferenceFiles } from './reference-files.ts'

const app = fastify()
await app.register(scalar, {
  routePrefix: '/docs',
  configuration: {
    url: '/openapi.json',
    pageTitle: 'API reference · connector-oauth',
    withDefaultFonts: false,
    telemetry: false,
    hideClientButton: true,
    // They lead to the maker's own services.
    showDeveloperTools: 'never',
    agent: { disabled: true },
    mcp: { disabled: true },
  },
})
const page = await app.inject('/docs/')
const script = await app.inject('/docs/js/scalar.js')
const files: ReferenceFiles = { page: page.body, gzippedScript: new Uint8Array(gzipSync(script.rawPayload)) }
parentPort?.postMessage(files, [files.gzippedScript.buffer])
