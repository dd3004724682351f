const folder = process.env['NODE_COMPILE_CACHE']

/** For the environment of processes that get no other variable of the test run: what spares them compiling everything anew. */
export const compileCache: Readonly<Record<string, string>> = folder === undefined ? {} : { NODE_COMPILE_CACHE: folder }
