import { connectSessionId } from '../core/ids.ts'
import { findLook, type Look } from '../store/connect-sessions.ts'
import type { Context } from './context.ts'

const plain: Look = { locale: null, display_name: null, accent: null, radius_px: null, logo: null }

/**
 * How the page of a session looks, found by the id alone: its tenant's appearance and the session's language. An id that
 * nobody has answers the plain look, and nothing tells it from one that is known.
 */
export async function readConnectLook(context: Pick<Context, 'database'>, id: string): Promise<Look> {
  if (!/^cs_[\w-]{1,60}$/.test(id)) return plain
  return (await findLook(context.database.system, connectSessionId(id))) ?? plain
}
