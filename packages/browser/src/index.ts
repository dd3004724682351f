/**
 * Connect accounts from a page of your platform.
 */
export { connect, type PopupRequest } from './connect.ts'
export { ConnectError, type ConnectFailure } from './connect-error.ts'
export { connectByRedirect, finishConnect, type Finish } from './redirect.ts'
export type { Connected, ConnectRequest } from './request.ts'
export type { ServiceAccess } from './api.ts'
