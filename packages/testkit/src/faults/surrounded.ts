/**
 * A program that uses an executor and prints one line, wherever it is run. Environment: `FUTURES_MODULE`, `FUTURES_NAME`: the executor's class;
 * `FUTURES_MOCK_TIMERS`: replace the timers and the clock by mocks that nobody advances.
 * `FUTURES_SIGNALS`: signals that the program sends to itself and to its worker while a call runs.
 */
import type { ExecutorClass } from "@futures/core"
import { mock } from "node:test"
import { identity } from "../tasks.ts"
import { reportProcess, throwing } from "./tasksChatter.ts"

const { FUTURES_MODULE: module, FUTURES_NAME: name, FUTURES_SIGNALS: signals } = process.env
const exports = await import(module!) as Record<string, ExecutorClass>
if (process.env["FUTURES_MOCK_TIMERS"] !== undefined) mock.timers.enable()
const executor = new exports[name!]!({ maxWorkers: 2 })
if (signals !== undefined) {
  const call = executor.submit(reportProcess)
  for await (const pid of call.progress()) {
    for (const signal of signals.split(",")) {
      process.once(signal, () => {})
      for (const each of new Set([Number(pid), process.pid])) process.kill(each, signal)
    }
  }
  if (await call.result() !== "finished") throw new Error("The call did not finish")
}
const numbers = await Promise.all(Array.from({ length: 100 }, (_, number) => executor.run(identity, number)))
const sum = numbers.reduce<number>((total, number) => total + Number(number), 0)
let mapped = 0
for await (const item of executor.map(identity, numbers, { chunkSize: 10 })) mapped += Number(item)
const thrown = executor.submit(throwing)
await thrown.wait()
await executor.shutdown()
process.stdout.write(`calls ${sum}, map ${mapped}, error ${thrown.state}, workers ${executor.stats().workers}\n`)
