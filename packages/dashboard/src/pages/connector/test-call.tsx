import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { CallProblem } from '../../api/call.ts'
import { callThroughProxy, placeOf, type Connector } from '../../api/connectors.ts'
import { Button } from '../../parts/button.tsx'
import { inputClass } from '../../parts/field.tsx'
import { ProblemNote } from '../../parts/notes.tsx'
import { Card } from '../../parts/page.tsx'
import { Badge } from '../../parts/status-badge.tsx'

const methods = ['GET', 'HEAD']
/** Addresses that answer for any account. */
const examples: Readonly<Record<string, string>> = { sandbox: 'profile', github: 'user', google: 'oauth2/v3/userinfo' }

/** Reading something at the provider with this account's token, which does not leave the service. */
export function TestCall({ connector }: { readonly connector: Connector }): ReactNode {
  const [method, setMethod] = useState('GET')
  const [path, setPath] = useState(examples[connector.provider_slug] ?? '')
  const calling = useMutation({ mutationFn: () => callThroughProxy(placeOf(connector), method, path) })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    calling.mutate()
  }
  return (
    <Card title="Call the provider’s API">
      <form onSubmit={submit} className="flex flex-wrap items-center gap-2">
        <select
          aria-label="Method"
          value={method}
          onChange={(event) => setMethod(event.target.value)}
          className={`${inputClass} max-w-24`}
        >
          {methods.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <input
          aria-label="Path of the provider’s API"
          placeholder="path/below/the/api?with=query"
          value={path}
          onChange={(event) => setPath(event.target.value)}
          spellCheck={false}
          className={`${inputClass} flex-1 basis-32 font-mono`}
        />
        <Button look="primary" type="submit" disabled={calling.isPending}>
          {calling.isPending ? 'Calling …' : 'Call'}
        </Button>
      </form>
      <p className="mt-2 text-xs text-soft">
        The service adds the token on the way, and notes the call in the audit record. Only reading is offered here.
      </p>
      <div role="status" className="mt-4 empty:mt-0">
        {calling.data !== undefined && (
          <>
            <p className="mb-2 flex flex-wrap items-center gap-3 text-soft">
              <Badge tone="good">{calling.data.status}</Badge>
              {calling.data.contentType}
              <span>{calling.data.durationMs} ms</span>
            </p>
            <pre
              tabIndex={0}
              role="region"
              aria-label="Answer"
              className="max-h-96 overflow-auto rounded-md border border-line bg-raised p-3 text-[0.8125rem] whitespace-pre-wrap wrap-anywhere"
            >
              {pretty(calling.data.text)}
            </pre>
          </>
        )}
      </div>
      {calling.error !== null && (
        <>
          {calling.error instanceof CallProblem && calling.error.code.startsWith('status_') && (
            <p className="mb-2 text-soft">The provider itself answered with an error.</p>
          )}
          <ProblemNote problem={calling.error} />
        </>
      )}
    </Card>
  )
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
