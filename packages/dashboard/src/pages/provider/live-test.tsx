import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import { disconnect, nameOf, ownPlace, placeOf, readConnector } from '../../api/connectors.ts'
import { askedPerConnection, filled, type AdminProvider } from '../../api/providers.ts'
import { Button, buttonClass } from '../../parts/button.tsx'
import { ConnectButton, ConnectNote, useConnect } from '../../parts/connect-button.tsx'
import { complaintOf } from '../../parts/field.tsx'
import { Loading, ProblemNote } from '../../parts/notes.tsx'
import { Card, Facts } from '../../parts/page.tsx'
import { ConnectorBadge } from '../../parts/status-badge.tsx'
import { VariableField } from './variable-field.tsx'

/** A real flow with an account of one's own; what comes of it can be disconnected at once. */
export function LiveTest({ title, provider }: { readonly title: string; readonly provider: AdminProvider }): ReactNode {
  const queries = useQueryClient()
  const asked = askedPerConnection(provider)
  const [values, setValues] = useState<Readonly<Record<string, string>>>({})
  const { state, start } = useConnect(() => void queries.invalidateQueries({ queryKey: ['connectors'] }))
  const problem = state.kind === 'failed' ? state.problem : null
  return (
    <Card title={title}>
      <div className="space-y-4">
        <p className="text-soft">
          {provider.setup_complete
            ? 'A window opens at the provider, as your users will see it. Sign in there and consent.'
            : 'Save a client first; then a window opens at the provider, as your users will see it.'}
        </p>
        {provider.setup_complete &&
          asked.map((variable) => (
            <VariableField
              key={variable.name}
              variable={variable}
              mayStayEmpty="default"
              value={values[variable.name] ?? ''}
              onChange={(value) => setValues({ ...values, [variable.name]: value })}
              complaint={complaintOf(problem, `url_variables.${variable.name}`)}
            />
          ))}
        {provider.setup_complete && (
          <div>
            <ConnectButton
              look={state.kind === 'connected' ? 'plain' : 'primary'}
              state={state}
              onClick={() =>
                start({
                  providerSlug: provider.provider_slug,
                  ...ownPlace,
                  ...(asked.length > 0 && { urlVariables: filled(values) }),
                })
              }
            >
              {state.kind === 'connected' ? 'Run it again' : 'Run a test connection'}
            </ConnectButton>
            <ConnectNote state={state} done="It works: an account was connected." />
          </div>
        )}
        {state.kind === 'connected' && <TestedAccount connectorId={state.connectorId} />}
      </div>
    </Card>
  )
}

function TestedAccount({ connectorId }: { readonly connectorId: string }): ReactNode {
  const queries = useQueryClient()
  const place = { ...ownPlace, connectorId }
  const connector = useQuery({
    queryKey: ['connector', connectorId],
    queryFn: ({ signal }) => readConnector(place, signal),
  })
  const ending = useMutation({
    mutationFn: () => disconnect(place),
    onSuccess: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: ['connector', connectorId] }),
        queries.invalidateQueries({ queryKey: ['connectors'] }),
      ]),
  })
  if (connector.data === undefined) {
    return connector.error === null ? <Loading lines={2} /> : <ProblemNote problem={connector.error} />
  }
  const { account, scopes, status } = connector.data
  return (
    <div className="space-y-4 rounded-lg border border-line p-4">
      <Facts
        of={[
          ['Account', <strong key="name">{nameOf(connector.data)}</strong>],
          ['Account id', account.id ?? 'not told by the provider'],
          ['State', <ConnectorBadge key="status" status={status} />],
          ['Granted', scopes.granted.join(' ') || 'not told by the provider'],
          ...(scopes.missing.length > 0 ? ([['Not granted', scopes.missing.join(' ')]] as const) : []),
        ]}
      />
      {ending.error !== null && <ProblemNote problem={ending.error} />}
      <div role="status" className="text-good">
        {ending.isSuccess && 'Disconnected: the tokens are destroyed here, and the provider is being told.'}
      </div>
      <div className="flex flex-wrap gap-2">
        {!ending.isSuccess && (
          <Button look="danger" disabled={ending.isPending} onClick={() => ending.mutate()}>
            Disconnect the test account
          </Button>
        )}
        <Link
          to="/connectors/$spaceId/$collectionId/$connectorId"
          params={placeOf(connector.data)}
          className={buttonClass()}
        >
          Open it
        </Link>
      </div>
    </div>
  )
}
