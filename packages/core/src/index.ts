/** The public names of @futures/core. */
export type { ShutdownOptions } from "./engine/Closing.ts"
export type { ExecutorStats } from "./engine/Engine.ts"
export type {
  CallEvent,
  CallRetryEvent,
  CallSettleEvent,
  ExecutorEvent,
  ExecutorEvents,
  WorkerEvent,
  WorkerExitEvent
} from "./engine/events.ts"
export { asCompleted, gather, wait } from "./engine/many.ts"
export type { AsCompleted, MemberOf, Results, WaitManyOptions, WaitResult } from "./engine/many.ts"
export type { MapSettledResult } from "./engine/mapIterables.ts"
export type { MapOptions, MapProgress } from "./engine/mapOptions.ts"
export { Executor } from "./Executor.ts"
export type { Backends, MapExit, OpenOptions } from "./Executor.ts"
export type { ExecutorClass } from "./executorClass.ts"
export * from "./ExecutorError.ts"
export type { AnyItems, Items } from "./ExecutorService.ts"
export { Future } from "./Future.ts"
export type { FutureInfo, FutureState, InterruptOptions, SubmittedFuture, WaitOptions } from "./Future.ts"
export { InlineExecutor } from "./InlineExecutor.ts"
export type { ContextOption, ExecutorOptions, WorkerExit } from "./options.ts"
export * as Task from "./Task.ts"
export { withExecutor } from "./withExecutor.ts"
