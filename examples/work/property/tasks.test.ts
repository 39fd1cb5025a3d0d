/** Properties of one's own tasks. A task is the function that it is: most need no executor. Some are about the way to the worker and back. */
import { fc, it } from "@fast-check/vitest"
import { InlineExecutor } from "@futures/core"
import { ThreadExecutor } from "@futures/thread-executor"
import { afterAll, describe, expect } from "vitest"
import { pack, unpack } from "./tasks.ts"
import type { Run } from "./tasks.ts"

/** Text with runs in it, of whatever characters: halves of characters too. */
const text = fc.array(fc.tuple(fc.string({ unit: "binary", maxLength: 2 }), fc.nat(5)))
  .map((parts) => parts.map(([part, times]) => part.repeat(times)).join(""))

it.prop([text])("no character stands in two runs in a row", (input) => {
  const characters = pack(input).map(([character]) => character)
  for (const [index, character] of characters.entries()) expect(character).not.toBe(characters[index - 1])
})

describe.each([["inline", InlineExecutor], ["thread", ThreadExecutor]] as const)("on %s", (_, Executor) => {
  const executor = new Executor({ maxWorkers: 1 })
  afterAll(() => executor.shutdown())

  it.prop([text])("what is unpacked is what was packed", async (input) => {
    expect(await executor.run(unpack, await executor.run(pack, input))).toBe(input)
  })

  it.prop([fc.array(text)])("a map answers as the function does", async (inputs) => {
    const packed: Array<Array<Run>> = []
    for await (const runs of executor.map(pack, inputs)) packed.push(runs)
    expect(packed).toEqual(inputs.map((input) => pack(input)))
  })
})
