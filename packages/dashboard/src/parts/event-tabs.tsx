import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { TabBar, tabClass } from './tabs.tsx'

/** Events, and the endpoints they are brought to. */
export function EventTabs({ here }: { readonly here: 'events' | 'webhooks' }): ReactNode {
  return (
    <TabBar label="Events and webhooks">
      <Link to="/events" className={tabClass(here === 'events')} aria-current={here === 'events' ? 'page' : undefined}>
        Events
      </Link>
      <Link
        to="/webhooks"
        className={tabClass(here === 'webhooks')}
        aria-current={here === 'webhooks' ? 'page' : undefined}
      >
        Webhooks
      </Link>
    </TabBar>
  )
}
