/** Threads that Node cannot stop. Each is in a program of its own, which such a thread keeps from ending. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { expect, onTestFinished, test } from "vitest"

const program = fileURLToPath(new URL("./fixtures/unkillable.ts", import.meta.url))

/** What the program says until it is over; then it is killed. */
const said = (name: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--no-warnings", program, name], { stdio: ["ignore", "pipe", "inherit"] })
    onTestFinished(() => void child.kill("SIGKILL"))
    let text = ""
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk
      if (text.endsWith("over\n")) resolve(text)
    })
    child.on("error", reject)
    child.on("exit", (code, signal) => reject(new Error(`It ended by itself (${code ?? signal}): ${text}`)))
  })

test.for([
  ["A thread in a native call that cannot be stopped is lost by name", "native"],
  ["A thread in a loop of builtins that cannot be stopped is lost by name", "builtins"]
])(
  "%s; what waited runs on another, and shutdown() ends",
  async ([, name]) => {
    expect((await said(name!)).split("\n")).toEqual([
      "exit unkillable true",
      "interrupted false",
      "lost unkillable",
      "waiting",
      "later",
      "stats 1 0 2",
      "exit stopped false",
      "forced 1",
      "warned true",
      "over",
      ""
    ])
  }
)
