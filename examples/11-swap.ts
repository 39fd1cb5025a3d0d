// One program, three executors: which one is configuration.
//
// Python:  pools = {"thread": ThreadPoolExecutor, "process": ProcessPoolExecutor}
//          with pools[os.environ["EXECUTOR_BACKEND"]]() as executor: ...

import { Executor, gather } from "@futures/core"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { backend, backends } from "./backends.ts"
import { fib } from "./tasks/numbers.ts"

const numbers = [20, 21, 22, 23]

// In promises: an executor is opened by its name.
const program = (executor: Executor) => gather(numbers.map((n) => executor.submit(fib, n)))

for (const name of ["inline", "thread", "process"] as const) {
  await using executor = Executor.open(backends, { backend: name, maxWorkers: 2 })
  console.log(`Executor.open, ${name}: ${await program(executor)}`)
}

// In Effect: a layer reads the name from the configuration.
const effect = Effect.forEach(numbers, (n) => Executor.run(fib, n), { concurrency: "unbounded" })

for (const name of ["inline", "thread", "process"]) {
  const config = ConfigProvider.fromUnknown({ EXECUTOR_BACKEND: name, EXECUTOR_MAX_WORKERS: "2" })
  const configured = effect.pipe(
    Effect.provide(Executor.layerConfig(backends)),
    Effect.provideService(ConfigProvider.ConfigProvider, config)
  )
  console.log(`Executor.layerConfig, ${name}: ${await Effect.runPromise(configured)}`)
}

// With nothing said, both ask the environment: EXECUTOR_BACKEND, EXECUTOR_MAX_WORKERS and so on.
await using fromEnvironment = Executor.open(backends)
console.log(`the environment says ${backend}: ${await program(fromEnvironment)}`)
