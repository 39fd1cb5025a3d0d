/** From a reference to a function: imports the task's module once, then looks among its tasks, then among its exports. */
import { InvalidStateError, TaskNotFoundError } from "../ExecutorError.ts"
import { currentTask } from "./context.ts"
import { process } from "./process.ts"
import { forget, loading, lookup, noSettings } from "./registry.ts"
import type { TaskDefinition, TaskFunction } from "./registry.ts"

/** Rejects with `TaskNotFoundError` when the module does not load or has no such name. `resolve` says where it lies here. */
export const loadTask = async (
  given: string,
  name: string,
  resolve?: (module: string, task: string) => string
): Promise<TaskDefinition> => {
  const module = resolve === undefined ? given : resolve(given, name)
  // In the parent's own realm (inline) the module is here already. What is still loading has declared its tasks, and is not fit to run them.
  const here = loading.has(module) ? undefined : lookup(module, name)
  if (here !== undefined) return here
  let exports: Record<string, unknown>
  loading.add(module)
  try {
    exports = await import(module)
  } catch (cause) {
    forget(module)
    throw new TaskNotFoundError({ module, task: name, message: explain(module, cause), cause })
  } finally {
    loading.delete(module)
  }
  const declared = lookup(module, name)
  if (declared !== undefined) return declared
  const fn = exportedFunction(exports, name)
  if (fn === undefined) throw new TaskNotFoundError({ module, task: name })
  return { module, name, fn, settings: noSettings }
}

/**
 * Why a call of this module may not be handed in: the module is being imported for a call, and hands one in as it loads. So would the worker of that
 * call, without end.
 */
export const refuseEndless = (module: string): InvalidStateError | undefined => {
  if (!loading.has(module) || currentTask() !== undefined) return undefined
  return new InvalidStateError(`${module} submits a call of its own tasks while a worker loads it. ${REMEDY}`)
}

/** What to do about a module that does more than declare tasks. */
export const REMEDY = "Every worker runs the whole module. " +
  "Move the tasks to a module of their own, or put the rest of the program inside `if (import.meta.main) { ... }`."

/** The same for what a bundler writes. */
export const BUNDLED = "A bundler needs the tasks as an entry of their own."

/** What an executor that was created outside of any task, in a worker, refuses with. */
export const createdInWorker = (executor: string): InvalidStateError => {
  const where = loading.size === 0 ? "" : ` (${[...loading].join(", ")} is loading)`
  return new InvalidStateError(
    `Executor "${executor}" was created in a worker${where}: it starts no workers and takes calls from tasks only. ${REMEDY}`
  )
}

/** The file that starts the program failed when a worker loaded it for its tasks, such as by listening on a port that the program has. */
export const entryFailed = (module: string, task: string, cause: unknown): TaskNotFoundError => {
  const said = cause instanceof Error ? cause.message : String(cause)
  const message =
    `A worker loaded ${module}, the file that starts the program, for its tasks, and that failed: ${said}. ${REMEDY} ${BUNDLED}`
  return new TaskNotFoundError({ module, task, message, cause })
}

let loadedTaskSource: typeof import("../taskSource.ts") | undefined
/** What `Task.define` needs. It brings a parser, so it is loaded by the first use. */
export const taskSource = (): typeof import("../taskSource.ts") =>
  loadedTaskSource ??= process.getBuiltinModule("node:module").createRequire(import.meta.url)(
    import.meta.url.endsWith(".ts") ? "../taskSource.ts" : "../taskSource.js"
  ) as typeof import("../taskSource.ts")

const exportedFunction = (exports: Record<string, unknown>, name: string): TaskFunction | undefined => {
  const found = Object.hasOwn(exports, name) ? exports[name] : undefined
  // Node 22 has what `require` returns as the default alone.
  const required = Object.hasOwn(exports, "module.exports") ? exports["module.exports"] : exports["default"]
  const isItsMethod = isObject(required) && Reflect.get(required, name) === found
  if (typeof found === "function" && !isItsMethod) return found as TaskFunction
  return isObject(required) ? requiredFunction(required, name) : undefined
}

const isObject = (value: unknown): value is object =>
  (typeof value === "object" || typeof value === "function") && value !== null

/**
 * A method of what `require` returns. Node guesses the exports of a CommonJS module from its text: it does not list those of an object that is made at
 * run time, nor `exports.default` of a module that was compiled from an ES module.
 */
const requiredFunction = (required: object, name: string): TaskFunction | undefined => {
  const found: unknown = Reflect.get(required, name)
  const inherited = typeof required === "function" ? Function.prototype : Object.prototype
  if (typeof found !== "function" || found === Reflect.get(inherited, name)) return undefined
  return found.bind(required) as TaskFunction
}

const explain = (module: string, cause: unknown): string => {
  const said = cause instanceof Error ? cause.message : String(cause)
  const code = (cause as { code?: unknown } | undefined)?.code
  const hint = code === "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING" || code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX"
    ? " (build it to JavaScript, or run under tsx)"
    : ""
  return `The task module ${module} does not load: ${said}${hint}`
}
