/** The executor on threads (`node:worker_threads`). Threads share memory, start fast and move buffers; a native crash in one ends the process. */
import type { Executor } from "@futures/core"
import { claim, executorClass, flagsOf, makeClaims, requestStop, resolveModule } from "@futures/core/Backend"
import type { Backend, ExecutorClass, Frame, LinkEvents, SpawnSpec } from "@futures/core/Backend"
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads"
import type { MessagePort, WorkerOptions } from "node:worker_threads"

const thread: Backend = {
  name: "thread",
  sharesMemory: true,
  spawn: (spec: SpawnSpec, events: LinkEvents) => {
    const started = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT))
    const claims = makeClaims()
    const exited = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    // A channel of its own: `parentPort` belongs to the tasks and to the libraries that they use.
    const { port1: port, port2 } = new MessageChannel()
    const worker = start(spec, { started, claims, exited, port: port2 })
    let ended = false
    let error: unknown
    // Once: each `terminate()` adds a listener.
    let killed = false
    const kill = (): void => {
      if (!killed) void worker.terminate()
      killed = true
    }
    // A frame that makes no sense, or cannot be read: nothing that this worker says can be trusted to be complete.
    const fail = (cause: unknown): void => {
      error = cause
      kill()
    }
    const receive = (frame: Frame): void => {
      if (ended) return
      try {
        events.frame(frame)
      } catch (cause) {
        fail(cause)
      }
    }
    port.on("message", receive)
    port.on("messageerror", fail)
    worker.on("error", (cause) => error = cause)
    /** Reads what it sent before it ended. */
    const receiveRest = (): void => {
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
        receive(next.message)
      }
    }
    worker.on("exit", (exitCode) => {
      receiveRest()
      ended = true
      port.close()
      events.exit({ exitCode, error })
    })
    // Last: a listener for messages holds the process.
    port.unref()
    worker.unref()
    return {
      workerId: worker.threadId,
      send: (frame, transfers) => {
        if (ended) return false
        port.postMessage(frame, transfers)
        return true
      },
      started: () => started[0]!,
      withdraw: (wireId) => claim(claims, wireId),
      waitForExit: (timeoutMs) => {
        const hasExited = ended || Atomics.wait(exited, 0, 0, timeoutMs) !== "timed-out"
        receiveRest()
        return hasExited
      },
      requestStop: (wireId) => requestStop(claims, wireId),
      kill
    }
  }
}

const entry = new URL(resolveModule(import.meta, "@futures/thread-executor/worker"))

/** Inherited flags that Node refuses for a thread: those of V8 and of the process, which apply to its threads anyway. */
const refused = new Set<string>()

/**
 * MiB. Node lets a thread whose heap is full go 16 MiB further until it has stopped it, and one collection adds what the young generation holds: were that
 * more, the whole process would end now and then.
 */
const YOUNG = 12

const withYoungLimit = (limits: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  limits["maxOldGenerationSizeMb"] === undefined ? limits : { maxYoungGenerationSizeMb: YOUNG, ...limits }

/** What the thread is given: memory that it shares with the parent, and its end of the channel. */
interface ThreadData {
  readonly started: Float64Array
  readonly claims: Int32Array
  /** 1 once its exit hooks have run. */
  readonly exited: Int32Array
  readonly port: MessagePort
}

const start = (spec: SpawnSpec, data: ThreadData): Worker => {
  // A flag goes with its value: what is left of it would end the list for Node, and with it everything behind.
  const inherited = flagsOf(spec.inheritedExecArgv).filter(([flag]) => !refused.has(flag))
  try {
    return new Worker(entry, {
      // Node reads inherited options too: a changed `Object.prototype` is not to change workers.
      __proto__: null,
      name: spec.name,
      workerData: data,
      transferList: [data.port],
      argv: [...spec.argv],
      env: spec.env as NodeJS.Dict<string>,
      execArgv: [...inherited.flat(), ...spec.execArgv],
      ...(spec.resourceLimits === undefined ? {} : { resourceLimits: withYoungLimit(spec.resourceLimits) })
    } as WorkerOptions)
  } catch (error) {
    // Node says which it refuses in the text alone. What the user asked for is the user's to mend.
    const { code, message } = error as NodeJS.ErrnoException
    const named = `${message.slice(message.indexOf(":") + 1)}, `
    const blamed = inherited.filter(([flag]) => named.includes(` ${flag}, `))
    if (code !== "ERR_WORKER_INVALID_EXEC_ARGV" || blamed.length === 0) throw error
    for (const [flag] of blamed) refused.add(flag)
    return start(spec, data)
  }
}

/**
 * Runs tasks on threads.
 *
 * ```ts
 * await using executor = new ThreadExecutor({ maxWorkers: 4 })
 * console.log(await executor.submit(fib, 30).result())
 * ```
 */
export const ThreadExecutor: ExecutorClass = executorClass(thread, "ThreadExecutor")
export type ThreadExecutor = Executor
