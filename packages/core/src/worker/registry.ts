/**
 * Which functions are tasks, by the module that declared them.
 *
 * One registry per JavaScript realm, found through a global symbol: a program may hold two copies of this file (sources beside `dist`,
 * or the parent's and the worker's entry in one process), and a task declared through one must be found through the other.
 */

import type { ErrorClass, ErrorCodec } from "../wire/errorClass.ts"
import type { TaskSchemas } from "./codec.ts"

/** Marks a task function; the value says where it comes from. The key is global so that copies of this package agree. */
export const TaskTypeId = "~futures/Task" as const

export type { ErrorClass, ErrorCodec }

/** What `Task.module` said once for all tasks of the call. */
export interface TaskSettings {
  readonly errors: ReadonlyArray<ErrorClass | ErrorCodec>
  /** An Effect `Layer` with what the module's Effects require; built once per worker. */
  readonly layer?: unknown
  /** Effect `Schema`s by task name. */
  readonly schemas?: Readonly<Record<string, TaskSchemas>> | undefined
  /** Made by `Task.define`. */
  readonly fromSource?: true
}

/** Where a task lives: `module` is the URL the worker imports, `name` the key given to `Task.module` or an export. */
export interface TaskDefinition {
  readonly module: string
  readonly name: string
  /** Absent for a reference made by `Task.from`. */
  readonly fn: TaskFunction | undefined
  readonly settings: TaskSettings
}

export type TaskFunction = (...args: Array<any>) => unknown

interface ModuleEntry {
  /**
   * `import.meta` is a new object for each evaluation of a module, so a module evaluated anew (a test runner, a reload) starts afresh. A text tells nothing of
   * that: names that are declared again replace the earlier ones.
   */
  readonly meta: object | string
  readonly tasks: Map<string, TaskDefinition>
}

const key = Symbol.for("@futures/core/tasks")
const modules: Map<string, ModuleEntry> = ((globalThis as { [key]?: Map<string, ModuleEntry> })[key] ??= new Map())

/** Records a definition; says `false` when this evaluation of the module already declared the name. */
export const register = (meta: object | string, definition: TaskDefinition): boolean => {
  let entry = modules.get(definition.module)
  if (entry === undefined || entry.meta !== meta) {
    entry = { meta, tasks: new Map() }
    modules.set(definition.module, entry)
  }
  if (typeof meta !== "string" && entry.tasks.has(definition.name)) return false
  entry.tasks.set(definition.name, definition)
  return true
}

export const lookup = (module: string, name: string): TaskDefinition | undefined => modules.get(module)?.tasks.get(name)

/** Forgets what a module declared before it failed to load. */
export const forget = (module: string): void => {
  modules.delete(module)
}

const loadingKey = Symbol.for("@futures/core/loading")
/** Modules that are being imported for a call, in this realm. */
export const loading: Set<string> = ((globalThis as { [loadingKey]?: Set<string> })[loadingKey] ??= new Set())

export const noSettings: TaskSettings = { errors: [] }
