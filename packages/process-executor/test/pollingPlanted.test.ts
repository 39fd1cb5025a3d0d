/** Backends that lose requests to stop, on purpose: the laws about tasks that compute must catch each, or they prove nothing. */
import { executorClass } from "@futures/core/Backend"
import type { Link } from "@futures/core/Backend"
import { contract, laws, verify } from "@futures/testkit"
import { expect, test } from "vitest"
import { childProcesses } from "../src/backend.ts"
import { Watchdog } from "../src/Watchdog.ts"

type RequestStop = NonNullable<Link["requestStop"]>

const verdictOf = async (
  change: (real: RequestStop, heard: Array<number>) => RequestStop | undefined,
  name: string
): Promise<string> => {
  const backend = childProcesses(new Watchdog("/bin/sh"))
  const executor = executorClass({
    ...backend,
    spawn: (spec, events) => {
      const link = backend.spawn(spec, events)
      const sent: Array<number> = []
      return {
        ...link,
        send: (frame, transfers) => {
          // The first call of a frame of calls.
          if (frame[0] === 3) sent.push(frame[3] as number)
          return link.send(frame, transfers)
        },
        requestStop: change(link.requestStop!, sent)
      }
    }
  })
  const named = contract.flatMap((set) => set.laws).filter((law) => law.name === name)
  expect(named).toHaveLength(1)
  for await (const { verdict } of verify({ name: "planted", executor }, { laws: [laws("named", named)] })) {
    return verdict
  }
  throw new Error("No verdict")
}

const seen = "A task that computes sees interrupt(), and its worker goes on"
const exact = "Of calls on one worker only the one that is to stop sees so, and no later one"

test("A backend whose workers never see the request is caught", async () => {
  expect(await verdictOf((real) => real, seen)).toBe("kept")
  expect(await verdictOf(() => undefined, seen)).toBe("broken")
})

test("A backend that asks the neighbours as well is caught", async () => {
  expect(await verdictOf((real) => real, exact)).toBe("kept")
  expect(await verdictOf((real, sent) => () => sent.forEach(real), exact)).toBe("broken")
})
