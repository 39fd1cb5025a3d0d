/**
 * A program that runs short of something: `starved.ts <module of the executor> <its name>`. Whenever it says a line, it waits, whole, until it is answered.
 */
import type { BrokenExecutorError, ExecutorClass } from "@futures/core"
import { readSync, writeSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { identity } from "../tasks.ts"

const [, file, module, name] = process.argv
const exports = await import(module!) as Record<string, ExecutorClass>
const Executor = exports[name!]!

const say = (line: string): void => {
  writeSync(1, `${line}\n`)
  readSync(0, Buffer.alloc(1))
}

/** What the system said: Node puts it at the end of the text. */
const shortage = (cause: unknown): string => /\bE[A-Z]+$/.exec((cause as Error).message)?.[0] ?? String(cause)

const executor = new Executor({
  maxWorkers: 1,
  onWorkerExit: ({ cause, reason }) => {
    if (reason !== "stopped") say(`failed to start: ${shortage(cause)}`)
  }
})

const hear = (call: number): Promise<string> =>
  executor.run(identity, call).then(
    (value) => `answered ${String(value)}`,
    ({ _tag, cause }: BrokenExecutorError) => `${_tag}: ${shortage(cause)}`
  )

// Node's own threads are made at the first of these, and it does not live without.
await readFile(file!)
say("ready")
for (const heard of await Promise.all([hear(1), hear(2), hear(3)])) say(heard)
say(await hear(4))
await executor.shutdown()
say(`left ${executor.stats().workers}`)
