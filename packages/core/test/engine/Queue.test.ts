import { fc, test } from "@fast-check/vitest"
import { expect } from "vitest"
import type { FutureCell } from "../../src/engine/FutureCell.ts"
import { Queue } from "../../src/engine/Queue.ts"

const cellOf = (id: number): FutureCell => ({ id, position: 0 }) as FutureCell

const commands = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant({ kind: "push" } as const) },
    { weight: 1, arbitrary: fc.constant({ kind: "putBack" } as const) },
    { weight: 3, arbitrary: fc.constant({ kind: "shift" } as const) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("remove" as const), which: fc.nat() }) }
  ),
  { maxLength: 600, size: "max" }
)

test.prop([commands])("the queue does what an array would do", (history) => {
  const queue = new Queue()
  const model: Array<FutureCell> = []
  const all: Array<FutureCell> = []
  const taken: Array<FutureCell> = []
  for (const command of history) {
    if (command.kind === "push") {
      const cell = cellOf(all.length)
      all.push(cell)
      queue.push(cell)
      model.push(cell)
    } else if (command.kind === "putBack") {
      const cell = taken.pop()
      if (cell === undefined) continue
      queue.putBack(cell)
      const younger = model.findIndex(({ id }) => id > cell.id)
      model.splice(younger < 0 ? model.length : younger, 0, cell)
    } else if (command.kind === "shift") {
      const cell = queue.shift()
      expect(cell).toBe(model.shift())
      if (cell !== undefined) taken.push(cell)
    } else if (all.length > 0) {
      const cell = all[command.which % all.length]!
      const at = model.indexOf(cell)
      expect(queue.remove(cell)).toBe(at >= 0)
      if (at >= 0) model.splice(at, 1)
    }
    expect(queue.size).toBe(model.length)
  }
  expect(queue.drain()).toEqual(model)
  expect(queue.size).toBe(0)
})

test("a queue whose oldest call stays does not grow by what is pushed and cancelled behind it", () => {
  const queue = new Queue()
  queue.push(cellOf(0))
  for (let id = 1; id < 1_000_000; id++) {
    const cell = cellOf(id)
    queue.push(cell)
    queue.remove(cell)
  }
  expect(queue.capacity).toBeLessThanOrEqual(128)
})
