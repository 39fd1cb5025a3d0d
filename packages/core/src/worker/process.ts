/**
 * The `process` that a worker starts with: a task may replace the global one later. Not by `import process from "node:process"`, which reads every
 * property at once and so makes the standard streams and much else: 4 ms of every worker's start. For the same reason modules of Node that are large,
 * or seldom used, come from `process.getBuiltinModule`.
 */
export const { process } = globalThis
