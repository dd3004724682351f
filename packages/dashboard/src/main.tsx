/** The operator's pages, over the public API only. */
import { MutationCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { CallProblem } from './api/call.ts'
import { finishSignIn } from './api/sign-in.ts'
import './main.css'
import { createAppRouter } from './router.tsx'

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // What the service refuses it refuses again; only what did not arrive is tried once more.
      retry: (failures, error) =>
        failures < 1 && error instanceof CallProblem && (error.status === 0 || error.status >= 502),
    },
  },
  mutationCache: new MutationCache(),
})

await finishSignIn()
const element = document.getElementById('app')
if (element === null) throw new Error('The page lacks its place for the app')
createRoot(element).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={createAppRouter()} />
    </QueryClientProvider>
  </StrictMode>,
)
