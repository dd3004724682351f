import { useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useLocation } from '@tanstack/react-router'
import { useEffect, useState, type ReactNode } from 'react'
import { useMe } from '../api/me.ts'
import { signOut, useIsSignedIn } from '../api/session.ts'
import { SignIn } from '../pages/sign-in.tsx'
import { Button } from './button.tsx'
import { Icon, type IconName } from './icons.tsx'
import { Mark } from './mark.tsx'

interface Place {
  readonly to: '/' | '/connectors' | '/providers' | '/events' | '/audit' | '/keys' | '/settings'
  readonly also?: string
  readonly title: string
  readonly icon: IconName
}

const places: readonly Place[] = [
  { to: '/', title: 'Overview', icon: 'overview' },
  { to: '/connectors', title: 'Connectors', icon: 'connectors' },
  { to: '/providers', title: 'Providers', icon: 'providers' },
  { to: '/events', also: '/webhooks', title: 'Events & webhooks', icon: 'events' },
  { to: '/audit', title: 'Audit', icon: 'audit' },
  { to: '/keys', title: 'Keys', icon: 'keys' },
  { to: '/settings', title: 'Settings', icon: 'settings' },
]

/** What stands around every page; without a sign-in, the way to one, at the same address. */
export function Shell(): ReactNode {
  const isSignedIn = useIsSignedIn()
  const queries = useQueryClient()
  useEffect(() => {
    // What one person was shown is not for the next.
    if (!isSignedIn) queries.removeQueries({ predicate: (query) => query.queryKey[0] !== 'config' })
  }, [isSignedIn, queries])
  return isSignedIn ? <SignedIn /> : <SignIn />
}

function SignedIn(): ReactNode {
  const { pathname } = useLocation()
  const [isOpen, setOpen] = useState(false)
  return (
    <div className="md:grid md:min-h-dvh md:grid-cols-[14.5rem_minmax(0,1fr)]">
      <a
        href="#content"
        className="sr-only rounded-md bg-accent px-3 py-2 text-on-accent focus:not-sr-only focus:absolute focus:top-2 focus:left-2 focus:z-20"
      >
        Skip to content
      </a>
      <header className="sticky top-0 z-10 border-line bg-card max-md:border-b md:h-dvh md:border-r">
        <div className="flex h-full flex-col">
          <div className="flex items-center justify-between gap-2 px-4 py-3 md:py-4">
            <Link to="/" className="flex items-center gap-2.5 rounded font-semibold tracking-tight">
              <Mark />
              connector-oauth
            </Link>
            <Button
              look="quiet"
              className="-mr-2 px-2! md:hidden"
              aria-expanded={isOpen}
              aria-controls="menu"
              onClick={() => setOpen(!isOpen)}
            >
              <Icon name={isOpen ? 'close' : 'menu'} className="size-5" />
              <span className="sr-only">Menu</span>
            </Button>
          </div>
          <div id="menu" className={`${isOpen ? 'flex' : 'hidden'} min-h-0 flex-1 flex-col px-2 pb-3 md:flex`}>
            <nav aria-label="Pages">
              <ul className="space-y-0.5">
                {places.map((place) => (
                  <li key={place.to}>
                    <NavLink place={place} pathname={pathname} onGo={() => setOpen(false)} />
                  </li>
                ))}
              </ul>
            </nav>
            <div className="mt-auto border-t border-line px-1 pt-3 max-md:mt-3">
              <WhoIsHere />
            </div>
          </div>
        </div>
      </header>
      <main id="content" tabIndex={-1} className="min-w-0 px-4 py-5 outline-none md:px-8 md:py-7">
        <div className="mx-auto max-w-6xl">
          <Outlet />
        </div>
      </main>
    </div>
  )
}

function NavLink({
  place,
  pathname,
  onGo,
}: {
  readonly place: Place
  readonly pathname: string
  readonly onGo: () => void
}): ReactNode {
  const { to, also, title, icon } = place
  const isWithin = (start: string): boolean => pathname === start || pathname.startsWith(`${start}/`)
  const isHere = to === '/' ? pathname === '/' : isWithin(to) || (also !== undefined && isWithin(also))
  return (
    <Link
      to={to}
      onClick={onGo}
      aria-current={isHere ? 'page' : undefined}
      className={`flex min-h-9 items-center gap-2.5 rounded-md px-2.5 py-1.5 font-medium ${
        isHere ? 'bg-accent-ground text-accent' : 'text-soft hover:bg-raised hover:text-ink'
      }`}
    >
      <Icon name={icon} />
      {title}
    </Link>
  )
}

function WhoIsHere(): ReactNode {
  const me = useMe()
  return (
    <>
      <p className="px-1.5 wrap-anywhere">
        <span className="block font-medium">{me?.subject ?? ' '}</span>
        <span className="block text-xs text-soft">{me === undefined ? ' ' : `Tenant ${me.tenant_id}`}</span>
      </p>
      <div className="mt-2 flex flex-wrap items-center justify-between gap-1">
        <Button look="quiet" className="px-1.5!" onClick={() => signOut()}>
          Sign out
        </Button>
        <a href="/docs" className="rounded px-1.5 py-1.5 text-soft hover:text-ink">
          Docs
        </a>
      </div>
    </>
  )
}
