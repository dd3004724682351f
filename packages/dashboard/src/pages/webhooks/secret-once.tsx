import type { ReactNode } from 'react'
import { Button } from '../../parts/button.tsx'
import { CopyField } from '../../parts/copy-field.tsx'
import { Actions, Dialog } from '../../parts/dialog.tsx'

/** The signing secret, shown this once. */
export function SecretOnce({
  title,
  secret,
  onClose,
}: {
  readonly title: string
  readonly secret: string
  readonly onClose: () => void
}): ReactNode {
  return (
    <Dialog title={title} onClose={onClose}>
      <p className="text-soft">
        Take the signing secret now; it is shown this once. Your endpoint checks the signature of each message with it,
        as{' '}
        <a href="https://www.standardwebhooks.com" target="_blank" rel="noreferrer" className="text-accent underline">
          Standard Webhooks
        </a>{' '}
        describes.
      </p>
      <CopyField label="Signing secret" value={secret} />
      <Actions>
        <Button look="primary" onClick={onClose}>
          I have it
        </Button>
      </Actions>
    </Dialog>
  )
}
