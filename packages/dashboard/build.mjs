/**
 * Builds the pages into `dist`, in a folder beside it first, so that a service that is starting never sees half of them.
 * Plain JavaScript: Vite is told here what a file of settings would tell it.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { build } from 'vite'
import { dist, folder, sourceDigest, stampFile } from './freshness.mjs'

const digest = sourceDigest()
const fresh = path.join(folder, `dist.${process.pid}`)
await build({
  root: folder,
  configFile: false,
  logLevel: 'warn',
  plugins: [react(), tailwindcss()],
  build: {
    outDir: fresh,
    emptyOutDir: true,
    target: 'es2023',
    // The policy of the pages allows no data addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    license: { fileName: 'licenses.md' },
  },
})
writeFileSync(path.join(fresh, stampFile), digest)
rmSync(dist, { recursive: true, force: true })
renameSync(fresh, dist)
