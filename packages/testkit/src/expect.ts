/** What laws ask of futures and promises, in words. Built on `node:assert/strict`, so that it works under any test framework. */
import type { Future } from "@futures/core"
import assert from "node:assert/strict"

/** What the promise is rejected with; breaks the law when it is fulfilled. */
export const rejection = async (promise: Promise<unknown>): Promise<unknown> => {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return error
  }
  assert.fail(`Expected a rejection, got ${typeof value === "string" ? value : JSON.stringify(value) ?? String(value)}`)
}

type ErrorClass<E> = abstract new(...args: never) => E

/** That the promise is rejected with an error of ours, and what its fields say. Answers with the error. */
export const failsWith = async <E extends Error>(
  promise: Promise<unknown>,
  Class: ErrorClass<E>,
  fields: Partial<E> = {}
): Promise<E> => isError(await rejection(promise), Class, fields)

/** That a value is an error of ours, and what its fields say. */
export const isError = <E extends Error>(error: unknown, Class: ErrorClass<E>, fields: Partial<E> = {}): E => {
  assert.ok(
    error instanceof Class,
    `Expected ${Class.name}, got ${error instanceof Error ? error.stack : String(error)}`
  )
  if ("_tag" in error) assert.equal(error._tag, Class.name, "_tag is the name of the class")
  for (const [name, expected] of Object.entries(fields)) {
    assert.deepEqual((error as Record<string, unknown>)[name], expected, `${Class.name}.${name}`)
  }
  return error
}

/** What a future says of itself. */
interface Appearance {
  readonly state: string
  readonly done: boolean
  readonly running: boolean
  readonly cancelled: boolean
}

/** That a future is in a state, and that everything it says agrees. */
export const isIn = (future: Future<unknown, unknown>, state: Future<unknown>["state"]): void => {
  const appearance: Appearance = {
    state: future.state,
    done: future.done(),
    running: future.running(),
    cancelled: future.cancelled()
  }
  assert.deepEqual(appearance, {
    state,
    done: state === "succeeded" || state === "failed" || state === "cancelled",
    running: state === "running",
    cancelled: state === "cancelled"
  })
}

/** How a future ended, as data. */
export const outcomeOf = (future: Future<unknown, unknown>): Promise<PromiseSettledResult<unknown>> =>
  future.result().then(
    (value) => ({ status: "fulfilled", value }),
    (reason: unknown) => ({ status: "rejected", reason })
  )

/** All items of an iterable. */
export const collect = async <A>(items: AsyncIterable<A>): Promise<Array<A>> => {
  const all: Array<A> = []
  for await (const item of items) all.push(item)
  return all
}

/** The items that came before the iterable threw, and what it threw. */
export const collectUntilThrown = async <A>(items: AsyncIterable<A>): Promise<{ items: Array<A>; thrown: unknown }> => {
  const all: Array<A> = []
  const thrown = await rejection((async () => {
    for await (const item of items) all.push(item)
  })())
  return { items: all, thrown }
}

/** A turn of the event loop: everything that was due has happened. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
