import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, type ReactNode } from 'react'
import { readFarewell } from '../api/session.ts'
import { readConfig, startAtIssuer } from '../api/sign-in.ts'
import { Button } from '../parts/button.tsx'
import { ProblemNote } from '../parts/notes.tsx'
import { Mark } from '../parts/mark.tsx'

/** The way in, at whatever address somebody wanted to go to. */
export function SignIn(): ReactNode {
  const farewell = readFarewell()
  const config = useQuery({ queryKey: ['config'], queryFn: ({ signal }) => readConfig(signal), staleTime: Infinity })
  const oidc = config.data?.oidc ?? undefined
  const going = useMutation({ mutationFn: startAtIssuer })
  useEffect(() => {
    document.title = 'Sign in · connector-oauth'
  }, [])
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <div className="w-full max-w-md rounded-xl border border-line bg-card p-6 sm:p-8">
        <div className="flex items-center gap-2.5 font-semibold tracking-tight">
          <Mark />
          connector-oauth
        </div>
        <h1 className="mt-6 text-xl font-semibold tracking-tight">Sign in</h1>
        <div role="alert">{farewell !== undefined && <p className="mt-3 text-bad wrap-anywhere">{farewell}</p>}</div>
        {oidc !== undefined && (
          <div className="mt-4 space-y-3">
            <Button look="primary" className="w-full" disabled={going.isPending} onClick={() => going.mutate(oidc)}>
              Sign in at {new URL(oidc.issuer).host}
            </Button>
            {going.error !== null && <ProblemNote problem={going.error} />}
            <p className="pt-2 text-center text-xs text-soft">or</p>
          </div>
        )}
        <p className="mt-3 text-soft">
          {oidc === undefined ? 'This page opens' : 'Open this page'} with a one-time link. Make one where the service
          runs:
        </p>
        <pre className="mt-2 overflow-x-auto rounded-md border border-line bg-raised px-3 py-2 text-[0.8125rem]">
          <code>npx connector-oauth login-link</code>
        </pre>
        <p className="mt-3 text-xs text-soft">
          The link works once. The sign-in lasts as long as this tab, eight hours at most.
        </p>
      </div>
    </main>
  )
}
