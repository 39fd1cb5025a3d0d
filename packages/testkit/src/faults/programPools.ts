/**
 * A program that creates an executor in the module of its own tasks, so each worker loads it and creates the executor again:
 * `programPools.ts <module of the executor> <its name> <scene>`. Workers find these arguments in the environment.
 */
import { Task } from "@futures/core"
import type { Executor, ExecutorClass, ExecutorOptions } from "@futures/core"
import { once } from "node:events"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"

const isProgram = process.env["FUTURES_LAW_POOLS"] === undefined
process.env["FUTURES_LAW_POOLS"] ??= JSON.stringify(process.argv.slice(2))
const [module, name, scene] = JSON.parse(process.env["FUTURES_LAW_POOLS"]) as [string, string, string]
const exports = await import(module) as Record<string, ExecutorClass>
const Class = exports[name]!

const say = (word: unknown): void => {
  process.stdout.write(`${String(word)}\n`)
}

let own: Executor | undefined

const { initialize, square, viaPool, workers } = Task.module(import.meta, {
  /** In the scene "initializer", creates an executor whose workers would do the same. */
  initialize: async (): Promise<void> => {
    if (scene !== "initializer") return
    own = new Class(options)
    await own.ready()
  },
  square: (n: number): number => n * n,
  viaPool: async (n: number): Promise<number> => await pool!.run(square, n),
  /** How many workers the executor of this worker has. */
  workers: (): number => (own ?? pool!).stats().workers
})

const options: ExecutorOptions =
  ["one file", "exits when refused", "serves", "serves a port", "keeps a timer", "throws later"].includes(scene)
    ? { maxWorkers: 2 }
    : { maxWorkers: 1, minWorkers: 1, initializer: [initialize] }

const pool = scene === "initializer" && !isProgram ? undefined : new Class(options)

switch (scene) {
  case "beside its tasks": {
    await pool!.ready()
    if (!isProgram) break
    say(await pool!.run(square, 3))
    say(await pool!.run(workers))
    say(await pool!.run(viaPool, 4))
    await pool!.shutdown()
    break
  }
  case "initializer": {
    if (!isProgram) break
    say(await pool!.run(workers))
    await pool!.shutdown()
    break
  }
  case "serves": {
    const server = createServer().listen(0)
    if (!isProgram) break
    const error = await pool!.submit(square, 3).exception() as Error
    say(`${error.name}: ${error.message}`)
    await pool!.shutdown()
    server.close()
    break
  }
  case "serves a port": {
    const server = createServer().listen(Number(process.env["FUTURES_LAW_PORT"] ?? 0))
    // In a worker the port is taken, which nobody handles.
    await once(server, isProgram ? "listening" : "close")
    process.env["FUTURES_LAW_PORT"] = String((server.address() as AddressInfo).port)
    const executor = new Class({ maxWorkers: 1 })
    const error = await executor.submit(square, 3).exception() as Error
    say(`${error.name}: ${error.message}`)
    await executor.shutdown()
    server.close()
    break
  }
  case "keeps a timer": {
    const timer = setInterval(() => {}, 1_000)
    if (!isProgram) break
    say(await Promise.all([1, 2].map((n) => pool!.run(square, n))))
    await pool!.shutdown()
    clearInterval(timer)
    break
  }
  case "throws later": {
    if (!isProgram) {
      setTimeout(() => {
        throw new RangeError("left behind")
      }, 20).unref()
      break
    }
    const warned = once(process, "warning")
    // Idle workers do not keep a program alive.
    const alive = setInterval(() => {}, 1_000)
    say(await pool!.run(square, 3))
    await warned
    clearInterval(alive)
    await pool!.shutdown()
    break
  }
  case "exits when refused":
    pool!.run(square, 3).then(say, (error: unknown) => {
      if (isProgram) say(`${(error as Error).name}: ${((error as Error).cause as Error).name}`)
      process.exit(1)
    })
    if (isProgram) break
    // The worker exits while it loads its module.
    await new Promise(() => {})
    break
  case "one file":
    await Promise.all([1, 2, 3].map(async (n) => say(await pool!.run(square, n))))
}
