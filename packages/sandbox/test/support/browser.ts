/** A browser without scripts: it keeps cookies, stays on the sandbox, and stops where a redirect leaves it. */
export interface Browser {
  /** Follows redirects within the origin of `url`; the last `Location` that leads elsewhere is `leftFor`. */
  open(url: string, form?: Readonly<Record<string, string>> | URLSearchParams): Promise<Visit>
}

export interface Visit {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly leftFor: URL | undefined
}

interface Cookie {
  readonly value: string
  readonly path: string
}

const MAX_REDIRECTS = 10

export function newBrowser(): Browser {
  const jar = new Map<string, Cookie>()
  const cookiesFor = (path: string) =>
    [...jar]
      .filter(([, cookie]) => path.startsWith(cookie.path))
      .map(([key, { value }]) => `${key.split(' ')[0]}=${value}`)
      .join('; ')
  const keep = (headers: Headers) => {
    for (const line of headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split('; ')
      const at = pair.indexOf('=')
      const path = attributes.find((attribute) => attribute.startsWith('path='))?.slice(5) ?? '/'
      const key = `${pair.slice(0, at)} ${path}`
      if (pair.length === at + 1) jar.delete(key)
      else jar.set(key, { value: pair.slice(at + 1), path })
    }
  }

  return {
    async open(start, form) {
      let url = new URL(start)
      const { origin } = url
      let body = form === undefined ? undefined : new URLSearchParams(form)
      for (let hop = 0; hop < MAX_REDIRECTS; hop += 1) {
        const reply = await fetch(url, {
          method: body === undefined ? 'GET' : 'POST',
          headers: { accept: 'text/html', cookie: cookiesFor(url.pathname) },
          redirect: 'manual',
          ...(body !== undefined && { body }),
        })
        keep(reply.headers)
        const text = await reply.text()
        const location = reply.headers.get('location')
        const next = location === null ? undefined : new URL(location, url)
        const here = { url: url.href, status: reply.status, headers: reply.headers, text }
        if (next === undefined) return { ...here, leftFor: undefined }
        if (next.origin !== origin) return { ...here, leftFor: next }
        url = next
        body = undefined
      }
      throw new Error(`more than ${MAX_REDIRECTS} redirects from ${start}`)
    },
  }
}
