import { useQuery } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import type { Attempt } from '../../api/connect-account.ts'
import { placeOf, type Connector } from '../../api/connectors.ts'
import { filled, missingFor, providersKey, readProvider, type UrlVariable } from '../../api/providers.ts'
import { Button } from '../../parts/button.tsx'
import { ConnectButton, type ConnectState } from '../../parts/connect-button.tsx'
import { Actions, Dialog } from '../../parts/dialog.tsx'
import { VariableField } from '../provider/variable-field.tsx'

interface Flow {
  readonly state: ConnectState
  readonly start: (attempt: Attempt) => void
}

/**
 * Connects in place, at the connector's own address: what the provider needs of it is kept with the connector, and asked
 * for only where it is not.
 */
export function Reconnect({
  connector,
  flow: { state, start },
}: {
  readonly connector: Connector
  readonly flow: Flow
}): ReactNode {
  const { provider_slug: providerSlug, status } = connector
  const [isAsking, setAsking] = useState(false)
  const provider = useQuery({
    queryKey: [...providersKey, providerSlug],
    queryFn: ({ signal }) => readProvider(providerSlug, signal),
  })
  const attempt = { providerSlug, ...placeOf(connector) }
  const missing = provider.data === undefined ? [] : missingFor(provider.data, connector.url_variables)
  return (
    <>
      <ConnectButton
        look={status === 'reauth_required' || status === 'disconnected' ? 'primary' : 'plain'}
        state={state}
        disabled={provider.isPending}
        onClick={() => (missing.length > 0 ? setAsking(true) : start(attempt))}
      >
        Reconnect
      </ConnectButton>
      {isAsking && (
        <AskWhere
          variables={missing}
          onClose={() => setAsking(false)}
          onGo={(urlVariables) => {
            // Where it was is not known, so that any address counts as another.
            start({ ...attempt, urlVariables, allowAccountChange: true })
            setAsking(false)
          }}
        />
      )}
    </>
  )
}

function AskWhere({
  variables,
  onGo,
  onClose,
}: {
  readonly variables: readonly UrlVariable[]
  /** Called in the click, in which a popup may be opened. */
  readonly onGo: (urlVariables: Readonly<Record<string, string>>) => void
  readonly onClose: () => void
}): ReactNode {
  const [values, setValues] = useState<Readonly<Record<string, string>>>({})
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    onGo(filled(values))
  }
  return (
    <Dialog title="Where is the account?" onClose={onClose}>
      <form onSubmit={submit} className="space-y-4">
        <p className="text-soft">
          The provider needs this now, and the connector does not have it. Id, settings and history stay; what was lent
          of it ends, since it may be another account.
        </p>
        {variables.map((variable) => (
          <VariableField
            key={variable.name}
            variable={variable}
            mayStayEmpty="never"
            value={values[variable.name] ?? ''}
            onChange={(value) => setValues({ ...values, [variable.name]: value })}
            complaint={undefined}
          />
        ))}
        <Actions>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit">
            Reconnect
          </Button>
        </Actions>
      </form>
    </Dialog>
  )
}
