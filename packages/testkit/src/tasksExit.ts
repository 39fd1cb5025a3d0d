/** Tasks that leave work for the end of their worker: exit hooks, and a layer whose finalizer takes its time. */
import { Task } from "@futures/core"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { appendFileSync } from "node:fs"

const busy = (millis: number): void => {
  const until = performance.now() + millis
  while (performance.now() < until);
}

/** Where to write: a file, or stdout for an empty path. */
const write = (path: string, line: string): void => {
  if (path === "") process.stdout.write(`${line}\n`)
  else appendFileSync(path, `${line}\n`)
}

interface Closing {
  path: string
  line: string
  millis: number
}

class Resource extends Context.Service<Resource, Closing>()("Resource") {}

const resource = Layer.effect(
  Resource,
  Effect.acquireRelease(
    Effect.sync((): Closing => ({ path: "", line: "", millis: 0 })),
    ({ line, millis, path }) => Effect.andThen(Effect.sleep(millis), Effect.sync(() => write(path, line)))
  )
)

export const { hangAtExit, useResource, writeAtExit } = Task.module(import.meta, {
  /** The worker never exits by itself. */
  hangAtExit: (): void => {
    process.on("exit", () => {
      for (;;);
    })
  },
  /** When the worker ends, a finalizer takes so long and writes a line. */
  useResource: (path: string, line: string, millis: number): Effect.Effect<void, never, Resource> =>
    Effect.map(Resource, (closing) => void Object.assign(closing, { path, line, millis })),
  /** When the worker exits, it is busy for so long and writes a line. */
  writeAtExit: (path: string, line: string, millis: number): void => {
    process.on("exit", () => {
      busy(millis)
      write(path, line)
    })
  }
}, { layer: resource })
