/** `npm run build`: installs what is missing and builds the dashboard, the one thing here that needs it. */
import { bootstrap, exitWith } from './bootstrap.mjs'
import { ensureDashboard } from './ensure-dashboard.mjs'

await exitWith(async () => {
  const { runtime, env } = await bootstrap({ tools: false })
  const problem = await ensureDashboard(runtime, env)
  if (problem !== undefined) console.error(problem)
  return problem === undefined ? 0 : 1
})
