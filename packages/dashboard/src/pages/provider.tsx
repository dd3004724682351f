import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import {
  isCustom,
  isSandbox,
  providersKey,
  readProvider,
  removeProvider,
  type AdminProvider,
} from '../api/providers.ts'
import { readConfig } from '../api/sign-in.ts'
import { Absent } from '../parts/absent.tsx'
import { Button, buttonClass } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { Loading, ProblemNote } from '../parts/notes.tsx'
import { PageHead } from '../parts/page.tsx'
import { Badge } from '../parts/status-badge.tsx'
import { AppForm } from './provider/app-form.tsx'
import { AtTheProvider } from './provider/at-the-provider.tsx'
import { LiveTest } from './provider/live-test.tsx'
import { ReadySandbox } from './provider/ready-sandbox.tsx'

const route = getRouteApi('/providers/$slug')

/** Setting a provider up: there, here, and a test that really runs. */
export function ProviderPage(): ReactNode {
  const { slug } = route.useParams()
  const provider = useQuery({
    queryKey: [...providersKey, slug],
    queryFn: ({ signal }) => readProvider(slug, signal),
  })
  const config = useQuery({ queryKey: ['config'], queryFn: ({ signal }) => readConfig(signal), staleTime: Infinity })
  if (provider.isPending || config.isPending) return <Loading />
  if (provider.data === undefined) {
    return (
      <Absent
        title="Provider"
        problem={provider.error ?? new Error()}
        onRetry={() => void provider.refetch()}
        list={
          <Link to="/providers" className={buttonClass('primary')}>
            All providers
          </Link>
        }
      />
    )
  }
  const isOurs = config.data?.sandbox === true && isSandbox(provider.data)
  return <OneProvider key={slug} provider={provider.data} setUp={isOurs ? 'ours' : 'theirs'} />
}

function OneProvider({
  provider,
  setUp,
}: {
  readonly provider: AdminProvider
  /** `ours`: the service has brought the client. */
  readonly setUp: 'ours' | 'theirs'
}): ReactNode {
  const [isForgetting, setForgetting] = useState(false)
  const own = isCustom(provider.provider_slug)
  const canForget = own || provider.has_own_client
  return (
    <>
      <PageHead
        title={provider.display_name}
        actions={
          canForget && (
            <Button look="danger" onClick={() => setForgetting(true)}>
              {own ? 'Remove provider' : 'Forget the client'}
            </Button>
          )
        }
      >
        <span className="flex flex-wrap items-center gap-2">
          <code>{provider.provider_slug}</code>
          {provider.setup_complete ? <Badge tone="good">Set up</Badge> : <Badge tone="quiet">Not set up</Badge>}
          <Link
            to="/connectors"
            search={{ provider_slug: provider.provider_slug }}
            className="rounded text-accent hover:underline"
          >
            Its connectors
          </Link>
        </span>
      </PageHead>
      {setUp === 'ours' ? (
        <div className="space-y-4">
          <ReadySandbox />
          <LiveTest title="Test it with a made-up account" provider={provider} />
        </div>
      ) : (
        <Steps provider={provider} />
      )}
      {isForgetting && <Forget provider={provider} onClose={() => setForgetting(false)} />}
    </>
  )
}

function Steps({ provider }: { readonly provider: AdminProvider }): ReactNode {
  return (
    <ol className="space-y-4">
      <li>
        <AtTheProvider provider={provider} />
      </li>
      <li>
        <AppForm provider={provider} />
      </li>
      <li>
        <LiveTest title="3. Test it with an account of yours" provider={provider} />
      </li>
    </ol>
  )
}

function Forget({ provider, onClose }: { readonly provider: AdminProvider; readonly onClose: () => void }): ReactNode {
  const queries = useQueryClient()
  const navigate = useNavigate()
  const own = isCustom(provider.provider_slug)
  const forgetting = useMutation({
    mutationFn: () => removeProvider(provider.provider_slug),
    onSuccess: async () => {
      if (own) await navigate({ to: '/providers' })
      await queries.invalidateQueries({ queryKey: providersKey })
      onClose()
    },
  })
  return (
    <Dialog
      title={own ? `Remove ${provider.display_name}?` : `Forget the client of ${provider.display_name}?`}
      onClose={onClose}
    >
      <p className="text-soft">
        {own
          ? 'Its connectors stay listed, but their tokens can no longer be refreshed or used.'
          : 'Client id and secret of this tenant are destroyed. Where the deployment has a client of its own, that one serves again.'}
      </p>
      {forgetting.error !== null && <ProblemNote problem={forgetting.error} />}
      <Actions>
        <Button onClick={onClose}>Keep it</Button>
        <Button look="danger" disabled={forgetting.isPending} onClick={() => forgetting.mutate()}>
          {own ? 'Remove' : 'Forget'}
        </Button>
      </Actions>
    </Dialog>
  )
}
