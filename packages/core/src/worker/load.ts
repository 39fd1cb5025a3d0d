/** From a reference to a function: imports the task's module once, then looks among its tasks, then among its exports. */
import { TaskNotFoundError } from "../ExecutorError.ts"
import { lookup, noSettings } from "./registry.ts"
import type { TaskDefinition, TaskFunction } from "./registry.ts"

/** Rejects with `TaskNotFoundError` when the module does not load or has no such name. */
export const loadTask = async (module: string, name: string): Promise<TaskDefinition> => {
  // In the parent's own realm (inline) the module is here already.
  const here = lookup(module, name)
  if (here !== undefined) return here
  let exports: Record<string, unknown>
  try {
    exports = await import(module)
  } catch (cause) {
    throw new TaskNotFoundError({ module, task: name, message: explain(module, cause), cause })
  }
  const declared = lookup(module, name)
  if (declared !== undefined) return declared
  const fn = exportedFunction(exports, name)
  if (fn === undefined) throw new TaskNotFoundError({ module, task: name })
  return { module, name, fn, settings: noSettings }
}

const exportedFunction = (exports: Record<string, unknown>, name: string): TaskFunction | undefined => {
  const found = Object.hasOwn(exports, name) ? exports[name] : undefined
  return typeof found === "function" ? found as TaskFunction : undefined
}

const explain = (module: string, cause: unknown): string => {
  const said = cause instanceof Error ? cause.message : String(cause)
  const code = (cause as { code?: unknown } | undefined)?.code
  const hint = code === "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING" || code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX"
    ? " (build it to JavaScript, or run under tsx)"
    : ""
  return `The task module ${module} does not load: ${said}${hint}`
}
