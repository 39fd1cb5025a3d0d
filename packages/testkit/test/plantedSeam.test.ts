/** Backends with a mistake on purpose, planted at the seam: each must be caught by a law that is named here, or that law proves nothing. */
import type { ExecutorClass, Future, Task } from "@futures/core"
import { frames } from "@futures/core/Backend"
import type { Backend, Frame, Link, LinkEvents } from "@futures/core/Backend"
import { contract, laws, verify } from "@futures/testkit"
import type { Law, Verdict } from "@futures/testkit"
import { expect, test } from "vitest"
import { interleavings } from "../src/model/interleavings.ts"
import { memory, memoryExecutor } from "../src/model/memory.ts"

/** Kinds of frames, as the wire has them. */
const [READY, CALLS, INTERRUPT, OUTCOMES] = [2, 3, 4, 5]
/** The status of a call that the worker has not started and returns. */
const RETURNED = 5
/** Fields before the first call or outcome of a frame. */
const HEADER = 3

type Plant = (backend: Backend) => Backend

/** A backend whose workers hear and say something else than they should. */
const between = (
  meddle: (link: Link, events: LinkEvents, count: number) => { link?: Partial<Link>; events?: Partial<LinkEvents> }
): Plant =>
(backend) => {
  let count = 0
  return {
    ...backend,
    spawn: (spec, events) => {
      let link: Link | undefined
      const later: Link = {
        workerId: 0,
        send: (frame, transfers) => link!.send(frame, transfers),
        kill: () => link!.kill()
      }
      const changed = meddle(later, events, ++count)
      link = backend.spawn(spec, { ...events, ...changed.events })
      return { ...link, ...changed.link }
    }
  }
}

/** What a worker says is changed: answers with the frames that arrive in place of one. */
const saying = (change: (frame: Frame, index: number) => ReadonlyArray<Frame>): Plant =>
  between((_, events) => {
    let index = 0
    return {
      events: {
        frame: (frame) => {
          for (const each of change(frame, frame[0] === OUTCOMES ? index++ : -1)) events.frame(each)
        }
      }
    }
  })

const hearing = (change: (frame: Frame) => Frame | undefined): Plant =>
  between((link) => ({
    link: {
      send: (frame, transfers) => {
        const changed = change(frame)
        return changed === undefined || link.send(changed, transfers)
      }
    }
  }))

const withField = (frame: Frame, field: number, value: unknown): Frame =>
  frame.map((each, at) => at === field ? value : each)

const settlesOnce = "Each call settles once, with its own outcome, in whatever order frames, exits and requests come"

/** Each mistake, and the law that catches it. */
const planted: Readonly<Record<string, { readonly law: string; readonly plant: () => Plant }>> = {
  "drops a frame": {
    law: settlesOnce,
    plant: () => saying((frame, index) => index === 1 ? [] : [frame])
  },
  "answers twice": {
    law: settlesOnce,
    plant: () => saying((frame, index) => index >= 0 ? [frame, frame] : [frame])
  },
  "answers with the result of another call": {
    law: settlesOnce,
    plant: () => {
      let last: unknown
      return saying((frame, index) => {
        if (index < 0 || frame[HEADER + 1] !== 0) return [frame]
        const changed = index > 0 ? withField(frame, HEADER + 2, last) : frame
        last = frame[HEADER + 2]
        return [changed]
      })
    }
  },
  "swallows a rejection without a reason": {
    law: settlesOnce,
    plant: () =>
      saying((frame, index) => {
        const record = frame[HEADER + 2] as { readonly thrown?: { readonly value?: unknown } } | undefined
        if (index < 0 || frame[HEADER + 1] !== 1 || record?.thrown?.value !== undefined) return [frame]
        return [withField(withField(frame, HEADER + 1, 0), HEADER + 2, undefined)]
      })
  },
  "forgets that a worker has exited": {
    law: settlesOnce,
    plant: () => between(() => ({ events: { exit: () => {} } }))
  },
  "loses what is asked of a worker": {
    law: settlesOnce,
    plant: () => hearing((frame) => frame[0] === INTERRUPT ? undefined : frame)
  },
  "lets a frame of a dead worker come back to life": {
    law: settlesOnce,
    plant: () => {
      let dead: Frame | undefined
      return between((_, events, count) => ({
        events: {
          frame: (frame) => {
            if (count === 1 && frame[0] === OUTCOMES) dead = frame
            events.frame(frame)
            // As if an executor wrote its own number on whatever it receives.
            if (count > 1 && frame[0] === READY && dead !== undefined) events.frame(dead)
          }
        }
      }))
    }
  },
  "loses a call when a worker is replaced": {
    law: settlesOnce,
    plant: () =>
      between((link, _, count) => {
        let lost = false
        return {
          link: {
            send: (frame, transfers) => {
              if (frame[0] !== CALLS || count === 1 || lost) return link.send(frame, transfers)
              lost = true
              return true
            }
          }
        }
      })
  },
  "hands calls over in another order": {
    law: "Calls start in the order in which they were handed in",
    plant: () =>
      hearing((frame) => {
        if (frame[0] !== CALLS) return frame
        const calls: Array<Frame> = []
        for (let at = HEADER; at < frame.length; at = frames.callEnd(frame, at)) {
          calls.push(frame.slice(at, frames.callEnd(frame, at)))
        }
        return [...frame.slice(0, HEADER), ...calls.toReversed().flat()]
      })
  },
  "runs a call again": {
    law: "Each call runs at most once",
    plant: () =>
      between((link) => {
        let sent = 0
        return {
          link: {
            send: (frame, transfers) => {
              if (frame[0] === CALLS && ++sent > 3) {
                link.send(withField(frame, HEADER, 2 ** 40 + 2 ** 15 + sent), transfers)
              }
              return link.send(frame, transfers)
            }
          }
        }
      })
  },
  "returns a call that it has run": {
    law: "Each call runs at most once",
    plant: () =>
      saying((frame, index) =>
        index === 3 ? [withField(withField(frame, HEADER + 1, RETURNED), HEADER + 2, undefined)] : [frame]
      )
  },
  "returns items that it has run": {
    law: "Each item of a map runs once, whatever the chunks are",
    plant: () =>
      saying((frame) => {
        const { values = [] } = Object(frame[HEADER + 2]) as { readonly values?: ReadonlyArray<unknown> }
        if (frame[0] !== OUTCOMES || values.length < 2) return [frame]
        return [withField(frame, HEADER + 2, { values: values.slice(0, -1) })]
      })
  },
  "leaks a worker": {
    law: settlesOnce,
    plant: () =>
      between((_, events) => ({
        // It says that the worker is gone; the worker stays.
        link: { kill: () => queueMicrotask(() => events.exit({ exitCode: 0 })) },
        events: { exit: () => {} }
      }))
  }
}

const verdictOf = async (
  name: string,
  plant: Plant,
  executor: ExecutorClass = memoryExecutor(plant(memory().backend))
): Promise<Verdict> => {
  const named: Array<Law> = [...contract, interleavings(plant)].flatMap((set) => [...set.laws]).filter((law) =>
    law.name === name
  )
  expect(named).toHaveLength(1)
  const subject = {
    name: "planted",
    executor,
    gaps: [{ name: "workers", reason: "its workers live in the caller's thread" }]
  }
  // That it is broken is enough: nobody asks for the smallest way to break it.
  const parameters = { endOnFailure: true }
  for await (const verdict of verify(subject, { laws: [laws("named", named)], parameters })) return verdict
  throw new Error("No verdict")
}

/** What the seam cannot show: the executor itself says it. */
class Hasty extends memoryExecutor(memory().backend) {
  override submit<F extends Task.Call>(task: F, ...args: Task.Args<F>): Future<Task.Success<F>, Task.Failure<F>> {
    const future = super.submit(task, ...args)
    const state = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(future), "state")!
    const get = (): string => {
      const real: string = state.get!.call(future)
      return real === "pending" ? "running" : real
    }
    return Object.defineProperty(future, "state", { get })
  }
}

test("An executor that says that a call runs before it does is caught", async () => {
  const law = "A future goes from pending to running to an end, and says so consistently"
  expect(await verdictOf(law, (backend) => backend, Hasty)).toMatchObject({ verdict: "broken" })
})

test.for([...new Set(Object.values(planted).map(({ law }) => law))])(
  "A backend without a mistake is not: %s",
  { timeout: 60_000 },
  async (law) => {
    expect(await verdictOf(law, (backend) => backend)).toMatchObject({ verdict: "kept" })
  }
)

test.for(Object.entries(planted))("A backend that %s is caught", { timeout: 60_000 }, async ([, { law, plant }]) => {
  expect(await verdictOf(law, plant())).toMatchObject({
    verdict: "broken",
    // It says what is wrong: one that gave up waiting may have been planted badly.
    error: { message: expect.not.stringMatching(/^Waited \d+ ms for the law/) }
  })
})
