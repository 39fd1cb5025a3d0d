/** Runs a program of its own and hears it out. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

/** How a program ended, and what it said. */
export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** A program that has not ended by then, in milliseconds, is ended: it hung. */
  readonly limit: number
  readonly execArgv?: ReadonlyArray<string>
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>
}

/** The file to run: `program` is a source file of this package; once built, the one beside it that was made of it. */
export const fileOf = (program: URL): string =>
  fileURLToPath(import.meta.url.endsWith(".ts") ? program.href : program.href.replace(/\.ts$/, ".js"))

/** Runs a program to its end. */
export const runProgram = (
  program: URL,
  args: ReadonlyArray<string>,
  { env = {}, execArgv = [], limit }: RunOptions
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...execArgv, fileOf(program), ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: limit,
      killSignal: "SIGKILL"
    })
    const text = { stdout: "", stderr: "" }
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (chunk: string) => text[stream] += chunk)
    }
    child.on("error", reject)
    child.on("close", (code, signal) => resolve({ code, signal, ...text }))
  })
