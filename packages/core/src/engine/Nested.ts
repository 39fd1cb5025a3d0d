/** Calls that running tasks hand in themselves: accepted like any other, answered to the worker they came from. */
import { NestingTooDeepError } from "../ExecutorError.ts"
import type { TaskInfo } from "../Task.ts"
import { encodeError } from "../wire/error.ts"
import type { ErrorRecord } from "../wire/error.ts"
import { argsAt, callEnd, HEADER, Kind, Status } from "../wire/frames.ts"
import type { CallMeta, Frame, TaskReference } from "../wire/frames.ts"
import type { StopReason } from "../wire/StopReason.ts"
import { noSettings } from "../worker/registry.ts"
import type { TaskDefinition } from "../worker/registry.ts"
import { State } from "./Call.ts"
import type { Engine } from "./Engine.ts"
import { cancelledBy, cancelledFor } from "./Failure.ts"
import type { FutureCell } from "./FutureCell.ts"
import type { Lane } from "./Lane.ts"

/** How deep tasks may nest: each level holds a task that waits. */
const DEEPEST = 1_000

/** Who hands calls in: a worker, or whoever else speaks as one. */
export interface Guest extends Pick<Lane, "inHand" | "reply"> {
  /** Whether it is told what its calls report and write, in `Progress` frames, and in `Output` frames with the wire id before the rest. */
  readonly listens?: boolean
}

/** What one worker has handed in. */
interface Children {
  readonly tasks: Array<TaskDefinition>
  readonly calls: Map<number, FutureCell>
}

export class Nested {
  readonly #engine: Engine
  readonly #children = new Map<Guest, Children>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  receive(lane: Guest, frame: Frame): void {
    switch (frame[0]) {
      case Kind.Calls:
        for (let at = HEADER; at < frame.length; at = callEnd(frame, at)) {
          this.#submit(
            lane,
            frame[at] as number,
            frame[at + 2] as TaskReference,
            argsAt(frame, at),
            frame[at + 4] as CallMeta
          )
        }
        return
      case Kind.Interrupt: {
        const cell = this.#children.get(lane)?.calls.get(frame[HEADER] as number)
        if (cell === undefined) return
        const [grace, record] = frame.slice(HEADER + 1) as [grace?: number, record?: ErrorRecord]
        void this.#engine.interrupt(cell, grace, cancelledFor("interrupt", record && { record }))
        return
      }
      case Kind.Credit: {
        const cell = this.#children.get(lane)?.calls.get(frame[HEADER] as number)
        cell?.lane?.credit(cell, frame[HEADER + 1] as number)
        return
      }
    }
  }

  /**
   * A call was asked to stop: so are those that it has submitted by now. Its worker would ask for that as well, but it may be computing, perhaps just one of
   * them.
   */
  interruptBelow(cell: FutureCell, grace: number | undefined, reason: StopReason | undefined): void {
    const { lane } = cell
    if (lane === undefined) return
    for (const child of this.#children.get(lane)?.calls.values() ?? []) {
      if (child.form.submitter === cell) void this.#engine.interrupt(child, grace, cancelledFor("parent", reason))
    }
  }

  /** The worker is gone: nobody waits for what it handed in. */
  gone(lane: Guest): void {
    const children = this.#children.get(lane)
    this.#children.delete(lane)
    for (const cell of children?.calls.values() ?? []) this.#engine.abort(cell, cancelledBy("parent"))
  }

  #submit(lane: Guest, wireId: number, reference: TaskReference, args: Array<unknown>, meta: CallMeta): void {
    let children = this.#children.get(lane)
    if (children === undefined) this.#children.set(lane, children = { tasks: [], calls: new Map() })
    const { calls, tasks } = children
    if (typeof reference !== "number") {
      const [index, module, name] = reference
      tasks[index] = { module, name, fn: undefined, settings: noSettings }
    }
    const definition = tasks[typeof reference === "number" ? reference : reference[0]]!
    const parent = lane.inHand(meta.parent)
    const depth = (parent?.form.depth ?? 0) + 1
    if (depth > DEEPEST) {
      const error = encodeError(new NestingTooDeepError({ depth }), this.#engine.backend)
      return lane.reply(Kind.Outcomes, wireId, Status.Refused, error, 0)
    }
    const priority = meta.options?.priority ?? parent?.priority
    const info: TaskInfo = { definition, options: { ...meta.options, priority, label: meta.label } }
    const sink = meta.window > 0 || meta.each !== undefined
      ? (items: unknown, size?: number) => lane.reply(Kind.Items, wireId, items, size)
      : undefined
    const cell = this.#engine.accept(info, args, {
      each: meta.each,
      limits: meta.limits,
      sink,
      depth,
      submitter: parent,
      key: meta.key,
      item: meta.item,
      earlier: meta.losses,
      context: parent === undefined ? meta.context : parent.form.context,
      trace: meta.trace,
      ...lane.listens === true
        ? {
          progress: (value) => lane.reply(Kind.Progress, wireId, value),
          output: (stream, chunk) => lane.reply(Kind.Output, wireId, stream, chunk)
        }
        : undefined
    })
    cell.watch()
    calls.set(wireId, cell)
    cell.observe(() => {
      calls.delete(wireId)
      lane.reply(Kind.Outcomes, wireId, ...this.#outcomeOf(cell), cell.ran > 0 ? cell.ran : 0)
    })
  }

  /** An outcome as the wire carries it. */
  #outcomeOf(cell: FutureCell): readonly [status: Status, value: unknown] {
    if (cell.code === State.Succeeded) return [Status.Succeeded, cell.value]
    if (cell.code === State.Cancelled) return [Status.Interrupted, undefined]
    const { build, kind, record } = cell.failure
    const status = kind === "threw" ? Status.Threw : kind === "failed" ? Status.Failed : Status.Refused
    return [status, record ?? encodeError(build(cell.label), this.#engine.backend)]
  }
}
