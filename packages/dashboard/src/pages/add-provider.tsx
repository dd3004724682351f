import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent, type ReactNode } from 'react'
import { addProvider, providersKey } from '../api/providers.ts'
import { Button } from '../parts/button.tsx'
import { Actions } from '../parts/dialog.tsx'
import { complaintOf, TextField } from '../parts/field.tsx'
import { ProblemNote } from '../parts/notes.tsx'
import { Card, PageHead } from '../parts/page.tsx'
import { Choice } from '../parts/tabs.tsx'

const ways = { discovery: 'By its issuer', endpoints: 'By its addresses' } as const
type Way = keyof typeof ways

/** The names are the API's: `POST /v1/admin/connector-providers`. */
const endpointFields = [
  ['authorization_url', 'Authorization URL', true],
  ['token_url', 'Token URL', true],
  ['userinfo_url', 'User info URL', false],
  ['revocation_url', 'Revocation URL', false],
  ['api_base_url', 'API base URL', false],
] as const

/** A provider that the catalogue lacks, found by its issuer's metadata or described by hand. */
export function AddProvider(): ReactNode {
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [way, setWay] = useState<Way>('discovery')
  const [values, setValues] = useState<Readonly<Record<string, string>>>({})
  const adding = useMutation({
    mutationFn: addProvider,
    onSuccess: async (provider) => {
      await queries.invalidateQueries({ queryKey: providersKey })
      await navigate({ to: '/providers/$slug', params: { slug: provider.provider_slug } })
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const names = [
      'display_name',
      ...(way === 'discovery' ? ['issuer', 'api_base_url'] : endpointFields.map(([name]) => name)),
    ]
    const body: Record<string, unknown> = {}
    for (const name of names) if ((values[name] ?? '') !== '') body[name] = values[name]
    const scopes = (values['default_scopes'] ?? '').split(/\s+/).filter((scope) => scope !== '')
    if (scopes.length > 0) body['default_scopes'] = scopes
    adding.mutate(body)
  }
  const field = (
    name: string,
    label: string,
    more: { readonly required?: boolean; readonly placeholder?: string; readonly hint?: string } = {},
  ) => (
    <TextField
      key={name}
      label={label}
      value={values[name] ?? ''}
      onChange={(event) => setValues({ ...values, [name]: event.target.value })}
      complaint={complaintOf(adding.error, name)}
      {...more}
    />
  )
  return (
    <>
      <PageHead title="Add a provider">
        It is for this tenant alone, with a slug and a redirect URI of its own.
      </PageHead>
      <Card title="What is known of it">
        <form onSubmit={submit} className="max-w-2xl space-y-4">
          {field('display_name', 'Name', { required: true, placeholder: 'Acme ID' })}
          <Choice label="How it is described" choices={ways} value={way} onChange={(choice: Way) => setWay(choice)} />
          {way === 'discovery' ? (
            <>
              {field('issuer', 'Issuer', {
                required: true,
                placeholder: 'https://id.acme.example',
                hint: 'Its endpoints are read from the metadata that it publishes (OpenID Connect Discovery, RFC 8414).',
              })}
              {field('api_base_url', 'API base URL', {
                placeholder: 'https://api.acme.example',
                hint: 'For calls through the proxy; may stay empty.',
              })}
            </>
          ) : (
            endpointFields.map(([name, label, required]) =>
              field(name, label, {
                required,
                placeholder: 'https://…',
                ...(required ? {} : { hint: 'May stay empty.' }),
              }),
            )
          )}
          {field('default_scopes', 'Scopes', {
            placeholder: 'openid profile',
            hint: 'Separated by spaces; may stay empty.',
          })}
          {adding.error !== null && <ProblemNote problem={adding.error} />}
          <Actions>
            <Button look="primary" type="submit" disabled={adding.isPending}>
              {adding.isPending ? 'Looking it up …' : 'Add the provider'}
            </Button>
          </Actions>
        </form>
      </Card>
    </>
  )
}
