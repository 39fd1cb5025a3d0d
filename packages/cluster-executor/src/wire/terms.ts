/** What a kept call asks of its worker, as options of an executor again. */
import { Task } from "@futures/core"
import type { ContextOption, ExecutorOptions } from "@futures/core"
import type { WorkerTerms } from "./streams.ts"

/** `context`: what is to be restored for each call. */
export const optionsOf = (
  { initializer, restore }: WorkerTerms = {},
  context: unknown
): Pick<ExecutorOptions, "initializer" | "context"> => ({
  initializer: initializer === undefined ? undefined : [taskOf(initializer), ...initializer.args],
  context: restore === undefined
    ? undefined
    : { capture: () => context, restore: taskOf(restore) as unknown as ContextOption["restore"] }
})

const taskOf = ({ module, name }: { readonly module: string; readonly name: string }): Task.Call =>
  Task.from<Record<string, (...args: Array<any>) => unknown>>(module)[name]!
