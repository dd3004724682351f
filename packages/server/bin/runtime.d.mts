/** What TypeScript has to know of `runtime.mjs`, which must run before anything is installed. */
export declare const serverFlags: readonly string[]
export declare function withCompileCache(root: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv
