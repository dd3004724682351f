import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { ownPlace } from '../../api/connectors.ts'
import { useHasRight } from '../../api/me.ts'
import { readConfig } from '../../api/sign-in.ts'
import { ConnectButton, ConnectNote, useConnect } from '../../parts/connect-button.tsx'

/** A newcomer's first step: a real flow with the sandbox, where any user name signs in. */
export function SandboxOffer(): ReactNode {
  const queries = useQueryClient()
  const config = useQuery({ queryKey: ['config'], queryFn: ({ signal }) => readConfig(signal), staleTime: Infinity })
  const mayConnect = useHasRight('connectors:connect')
  const { state, start } = useConnect(() => {
    void queries.invalidateQueries({ queryKey: ['connectors'] })
    void queries.invalidateQueries({ queryKey: ['overview'] })
  })
  if (config.data?.sandbox !== true || !mayConnect) return null
  return (
    <section
      aria-label="Sandbox"
      className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3 rounded-lg border border-accent/40 bg-accent-ground p-4"
    >
      <div className="min-w-0 flex-1 basis-64">
        <h2 className="font-semibold">Try it with the sandbox provider</h2>
        <p className="mt-0.5 text-soft">A real OAuth server with made-up accounts: any user name signs in.</p>
        <ConnectNote
          state={state}
          done={
            <>
              Connected. The account is listed below
              {state.kind === 'connected' && (
                <>
                  ;{' '}
                  <Link
                    to="/connectors/$spaceId/$collectionId/$connectorId"
                    params={{ ...ownPlace, connectorId: state.connectorId }}
                    className="underline underline-offset-2"
                  >
                    open it
                  </Link>
                </>
              )}
              .
            </>
          }
        />
      </div>
      <ConnectButton state={state} onClick={() => start({ providerSlug: 'sandbox', ...ownPlace })}>
        Connect a sandbox account
      </ConnectButton>
    </section>
  )
}
