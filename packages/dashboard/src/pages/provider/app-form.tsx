import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import {
  changeProvider,
  needsSecret,
  providersKey,
  type AdminProvider,
  type ProviderChange,
} from '../../api/providers.ts'
import { Button } from '../../parts/button.tsx'
import { Actions } from '../../parts/dialog.tsx'
import { complaintOf, TextField } from '../../parts/field.tsx'
import { GoodNote, ProblemNote } from '../../parts/notes.tsx'
import { Card } from '../../parts/page.tsx'
import { VariableField } from './variable-field.tsx'

/** The client's id and secret, scopes, and what fills the provider's addresses. */
export function AppForm({ provider }: { readonly provider: AdminProvider }): ReactNode {
  const queries = useQueryClient()
  const variables = provider.url_variables
  const [clientId, setClientId] = useState(provider.client_id ?? '')
  const [secret, setSecret] = useState('')
  const [scopes, setScopes] = useState((provider.scopes ?? []).join(' '))
  const [values, setValues] = useState<Readonly<Record<string, string>>>(valuesOf(provider))
  const saving = useMutation({
    mutationFn: (change: ProviderChange) => changeProvider(provider.provider_slug, change),
    onSuccess: async () => {
      setSecret('')
      await queries.invalidateQueries({ queryKey: providersKey })
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const list = scopes.split(/\s+/).filter((scope) => scope !== '')
    saving.mutate({
      // The deployment's own client is not this tenant's to repeat.
      ...(clientId !== (provider.client_id ?? '') || secret !== '' ? { client_id: clientId } : {}),
      ...(secret === '' ? {} : { client_secret: secret }),
      scopes: list.length > 0 ? list : null,
      ...(variables.length === 0 ? {} : { url_variables: changed(provider, values) }),
    })
  }
  const { error } = saving
  return (
    <Card title="2. Enter what they gave you">
      <form onSubmit={submit} className="space-y-4">
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField
            label="Client id"
            required
            value={clientId}
            onChange={(event) => setClientId(event.target.value.trim())}
            complaint={complaintOf(error, 'client_id')}
          />
          <TextField
            label="Client secret"
            type="password"
            autoComplete="new-password"
            required={needsSecret(provider) && !provider.has_secret}
            value={secret}
            onChange={(event) => setSecret(event.target.value)}
            placeholder={provider.has_secret ? 'Stored; leave empty to keep it' : ''}
            hint="Sealed when it is stored, and never shown again."
            complaint={complaintOf(error, 'client_secret')}
          />
        </div>
        {variables.map((variable) => (
          <VariableField
            key={variable.name}
            variable={variable}
            mayStayEmpty={variable.per === 'connection' ? 'asks' : 'default'}
            value={values[variable.name] ?? ''}
            onChange={(value) => setValues({ ...values, [variable.name]: value })}
            complaint={complaintOf(error, `url_variables.${variable.name}`)}
          />
        ))}
        <TextField
          label="Scopes"
          value={scopes}
          onChange={(event) => setScopes(event.target.value)}
          placeholder={provider.default_scopes.map((scope) => scope.name).join(' ')}
          hint="What is asked for, and the most a caller may ask for; separated by spaces. Empty: the provider’s default."
          complaint={complaintOf(error, 'scopes')}
        />
        {error !== null && <ProblemNote problem={error} />}
        <div role="status">{saving.isSuccess && <GoodNote>Saved. Test it below.</GoodNote>}</div>
        <Actions>
          <Button look="primary" type="submit" disabled={saving.isPending}>
            {saving.isPending ? 'Saving …' : 'Save'}
          </Button>
        </Actions>
      </form>
    </Card>
  )
}

/** A value that was emptied is taken away; one that never was there is left out. */
function changed(
  { url_variables: variables }: AdminProvider,
  values: Readonly<Record<string, string>>,
): Record<string, string | null> {
  return Object.fromEntries(
    variables.flatMap(({ name, value: old }): [string, string | null][] => {
      const value = values[name] ?? ''
      if (value !== '') return [[name, value]]
      return old === null ? [] : [[name, null]]
    }),
  )
}

function valuesOf({ url_variables: variables }: AdminProvider): Record<string, string> {
  return Object.fromEntries(variables.map(({ name, value }) => [name, value ?? '']))
}
