/** Engines are killed at random and the broker is restarted, while calls of every kind come and go: in the end the ledger balances. */
import { Broker } from "@futures/cluster-executor"
import type { Future } from "@futures/core"
import assert from "node:assert/strict"
import { onTestFinished, test } from "vitest"
import { start, until } from "./bench.ts"
import { double, fail } from "./tasks.ts"

/** Numbers that look random and are the same each time. */
const numbers = (seed: number) => (below: number): number => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
  return (seed >> 8) % below
}

test("Whatever engines are killed, every future settles once, with its own outcome", { timeout: 60_000 }, async () => {
  const broker = await Broker.start({ sync: "interval" })
  onTestFinished(() => broker.stop())
  const cluster = await start({ engines: 3, slots: 1, broker })
  const executor = cluster.executor()
  const random = numbers(7)
  const settled = new Map<number, number>()
  const expected: Array<readonly [future: Future<number, unknown>, value: number | undefined]> = []
  const submit = (n: number): void => {
    const fails = random(10) === 0
    const future: Future<number, unknown> = fails ? executor.submit(fail, `${n}`) : executor.submit(double, n)
    future.onDone(({ info }) => settled.set(info.id, (settled.get(info.id) ?? 0) + 1))
    expected.push([future, fails ? undefined : 2 * n])
  }
  const killed = new Set<number>()
  const total = 3_000
  for (let round = 0; round < 4; round++) {
    for (let n = 0; n < total / 4; n++) submit(round * total + n)
    const cancelled = expected.at(-1)![0].cancel()
    if (cancelled) expected.pop()
    if (round === 2) {
      await broker.kill()
      await broker.restart()
    } else {
      // One that was killed is listed until its death is noticed.
      const living = cluster.engines().filter(({ pid }) => !killed.has(pid))
      const { pid } = living[random(living.length)]!
      killed.add(pid)
      process.kill(pid, "SIGKILL")
      await cluster.addEngine()
    }
    const due = (round + 1) * total / 8
    await until(() => executor.stats().succeeded + executor.stats().failed >= due)
  }
  for (const [future, value] of expected) {
    const error = await future.exception()
    if (value === undefined) assert.ok(error instanceof RangeError, String(error))
    else assert.equal(await future.result(), value)
  }
  const { cancelled, failed, pending, running, succeeded } = executor.stats()
  assert.deepEqual([succeeded + failed + cancelled, pending, running], [total, 0, 0])
  await until(() => settled.size === total)
  assert.ok([...settled.values()].every((times) => times === 1))
})
