import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort } from '../../packages/server/test/support/service.ts'
import { childOf, type Server } from '../measure/child.ts'
import { cpuMsOfFamily } from '../measure/cpu.ts'

/**
 * Starts nginx in the foreground with a configuration of its own, passing everything on with one token, without any
 * check. `undefined` where it is not installed.
 */
export async function startNginx(
  stack: AsyncDisposableStack,
  upstream: string,
  token: string,
): Promise<Server | undefined> {
  // Debian puts it where only root's PATH leads.
  const program = ['nginx', '/usr/sbin/nginx'].find((name) => spawnSync(name, ['-v']).status === 0)
  if (program === undefined) return undefined
  const folder = mkdtempSync(path.join(tmpdir(), 'connector-oauth-bench-nginx-'))
  // Run by root, its worker is another user.
  chmodSync(folder, 0o755)
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const file = path.join(folder, 'nginx.conf')
  writeFileSync(file, configuration({ folder, port, upstream: new URL(upstream).host, token }))
  const child = spawn(program, ['-p', folder, '-c', file], { stdio: ['ignore', 'inherit', 'inherit'] })
  const server = stack.use(childOf(child))
  const url = `http://127.0.0.1:${port}`
  await untilListening(url)
  return { ...server, url, cpuMs: () => cpuMsOfFamily(server.pid) }
}

function configuration(given: {
  readonly folder: string
  readonly port: number
  readonly upstream: string
  readonly token: string
}): string {
  const { folder, port, upstream, token } = given
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off;
worker_processes 1;
pid ${folder}/pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log ${folder}/access.log;
${temporary.map((name) => `  ${name}_temp_path ${folder}/${name};`).join('\n')}
  upstream provider { server ${upstream}; keepalive 64; }
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 1000000;
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer ${token}";
    }
  }
}
`
}

async function untilListening(url: string): Promise<void> {
  const deadline = Date.now() + 10_000
  while (Date.now() < deadline) {
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('nginx was not ready in time')
}
