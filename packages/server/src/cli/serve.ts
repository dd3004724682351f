import { defineCommand } from 'citty'

export const serveCommand = defineCommand({
  meta: { name: 'serve', description: 'Start the service' },
  args: {
    role: {
      type: 'enum',
      options: ['all', 'api', 'worker'],
      default: 'all',
      description: 'What this process does: answer requests, work in the background, or both',
    },
  },
  async run({ args }) {
    const { serve } = await import('../serve.ts')
    return serve(args.role)
  },
})
