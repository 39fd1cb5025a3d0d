/** What nobody listens to is not made. */
import { Executor, InlineExecutor, Task } from "@futures/core"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { afterEach, expect, it, vi } from "vitest"
import { FutureCell } from "../src/engine/FutureCell.ts"

const { double } = Task.module(import.meta, { double: (n: number): number => n * 2 })

afterEach(() => {
  vi.restoreAllMocks()
})

it("Events are made for channels that somebody listens to, and for no other", async () => {
  const made = vi.spyOn(FutureCell.prototype, "info", "get")
  await using executor = new InlineExecutor()
  expect(await executor.run(double, 2)).toBe(4)
  expect(made).not.toHaveBeenCalled()
  const listener = (): void => {}
  subscribe("futures:call:settle", listener)
  expect(await executor.run(double, 2)).toBe(4)
  unsubscribe("futures:call:settle", listener)
  expect(made).toHaveBeenCalledTimes(1)
  expect(await executor.run(double, 2)).toBe(4)
  expect(made).toHaveBeenCalledTimes(1)
})

it("A call has no spans where they would go nowhere", async () => {
  const made = vi.spyOn(Tracer.nativeTracer, "span")
  await using executor = new InlineExecutor()
  const program = Effect.withSpan(Executor.run(double, 2), "the caller")
  expect(await Effect.runPromise(Effect.provideService(program, Executor, executor))).toBe(4)
  expect(made.mock.calls.map(([{ name }]) => name)).toEqual(["the caller"])
})
