/** What an event or an entry of the record means, for somebody who does not know its name. */
const words: Readonly<Record<string, string>> = {
  'connector.connected': 'Connected',
  'connector.reconnected': 'Connected anew',
  'connector.imported': 'Imported',
  'connector.degraded': 'The provider gives trouble; it is retried',
  'connector.recovered': 'Works again',
  'connector.reauth_required': 'Needs a person to connect again',
  'connector.disconnected': 'Disconnected; tokens destroyed here',
  'connector.revoked': 'Revoked at the provider',
  'connector.revocation_failed': 'The provider could not be told to revoke',
  'connector.changed': 'Settings changed',
  'connector.proxied': 'Called through the proxy',
  'token.refreshed': 'Token refreshed',
  'token.exported': 'Token exported',
  'token.refused': 'Token not given out',
  'lease.created': 'Lease made',
  'lease.revoked': 'Lease revoked',
  'session.started': 'Connection begun',
  'session.created': 'Connection prepared',
  'session.refused': 'Connection refused',
  'provider_app.created': 'Client of a provider set',
  'provider_app.updated': 'Client of a provider changed',
  'provider_app.deleted': 'Client of a provider forgotten',
  'key.rotated': 'Data key rotated',
  'login_link.created': 'Sign-in link made',
  'login_link.used': 'Signed in with a link',
}

export function eventWords(type: string): string {
  return words[type] ?? type.replaceAll(/[._]/g, ' ')
}

export type EventTone = 'good' | 'warn' | 'bad' | 'quiet'

/** How an event stands for a connection's health. */
export function eventTone(type: string): EventTone {
  if (/connector\.(connected|reconnected|recovered|imported)$/.test(type)) return 'good'
  if (type === 'connector.degraded') return 'warn'
  if (/reauth_required|revocation_failed|refused/.test(type)) return 'bad'
  return 'quiet'
}
