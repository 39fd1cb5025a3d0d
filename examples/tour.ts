/**
 * All examples, one after another, each the program that `node examples/01-call.ts` runs.
 *
 * `EXECUTOR_BACKEND=thread|process|inline` says what they run on; threads, when it says nothing.
 */
import { Executor } from "@futures/core"
import { spawnSync } from "node:child_process"
import { globSync, readFileSync } from "node:fs"
import { basename } from "node:path"
import { backend, backends } from "./backends.ts"

// A wrong name ends the tour before it begins.
Executor.open(backends, { backend })

/** What an example says of itself on its first lines: a title, and the Python that it retells. */
const introduction = (file: string): [title: string, python: string] => {
  const [head] = readFileSync(file, "utf8").split("\n\n", 1)
  const [title, , ...python] = head!.split("\n").map((line) => line.replace(/^\/\/ ?/, ""))
  return [title!, python.join("\n")]
}

const start = performance.now()
const examples = globSync(`${import.meta.dirname}/[0-9]*.ts`).toSorted()

for (const file of examples) {
  const [title, python] = introduction(file)
  console.log(`== ${basename(file)}: ${title}`)
  console.log(`${python}\n`)
  const { status } = spawnSync(process.execPath, [...process.execArgv, file], {
    env: { ...process.env, EXECUTOR_BACKEND: backend },
    stdio: "inherit"
  })
  if (status !== 0) process.exit(status ?? 1)
  console.log()
}

console.log(`${examples.length} examples on ${backend} in ${((performance.now() - start) / 1000).toFixed(0)} s`)
