/** Loaded with `--import`, which workers inherit: creates an executor in the program and in each of its workers. */
import type { Executor, ExecutorClass } from "@futures/core"

const { searchParams } = new URL(import.meta.url)
const exports = await import(searchParams.get("module")!) as Record<string, ExecutorClass>
const pool: Executor = new exports[searchParams.get("name")!]!({ maxWorkers: 1, minWorkers: 1 })
await pool.ready()
Object.assign(globalThis, { importedPool: pool })
