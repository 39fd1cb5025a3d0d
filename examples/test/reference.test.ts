/** Examples in doc comments, as the API reference shows them, type-check: each with the names that a reader takes as given. */
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import type { Program } from "./pages/programs.ts"
import { makeProject, root, typeErrors } from "./pages/project.ts"

/** On one line, so that lines of errors are those of the page. */
const given = `
import { asCompleted, Executor, Future, gather, InlineExecutor, Task, TaskTimeoutError, wait, withExecutor } from "@futures/core"
import { executorClass, type Backend } from "@futures/core/Backend"
import { Broker, Cluster, ClusterExecutor, permissionsFor, runEngine } from "@futures/cluster-executor"
import { ProcessExecutor } from "@futures/process-executor"
import { ThreadExecutor } from "@futures/thread-executor"
import { conformance } from "@futures/testkit/vitest"
import { openLink, verify } from "@futures/testkit"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
declare const executor: Executor
declare const VmExecutor: typeof InlineExecutor
declare const fib: Task.Of<(n: number) => number>
declare const who: Task.Of<(seconds: number) => Promise<string>>
declare const add: Task.Of<(a: number, b: number) => number>
declare const count: Task.Of<(to: number) => Generator<number>>
declare const future: Future<number>
declare const cluster: Cluster
declare const vmBackend: Backend
declare const token: string
declare const password: string
declare const jobs: Array<Future<number>>
`.trim().replaceAll("\n", "; ")

const examples = new Map<string, ReadonlyArray<Program>>()
for (const page of globSync("docs/api/**/*.md", { cwd: root }).toSorted()) {
  const text = readFileSync(join(root, page), "utf8")
  examples.set(
    page,
    [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(({ 1: code, index }) => {
      const line = text.slice(0, index).split("\n").length
      // In a block, where names may be those of others, and nothing is exported.
      const inside = `{\n${code!.replaceAll(/^export /gm, "")}}\n`
      const piece = /^import\b/m.test(code!) ? { line, code: code! } : { line: line - 1, code: `${given};${inside}` }
      return { name: `line-${line}.ts`, pieces: [{ ...piece, isRun: false, output: undefined }] }
    })
  )
}

it("every example in a doc comment type-checks", async () => {
  expect([...examples.values()].flat()).not.toEqual([])
  const project = makeProject(examples)
  expect(await typeErrors(project).finally(project.remove)).toEqual([])
})
