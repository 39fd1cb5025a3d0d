/** The command `futures-cluster`, run as a user would run it, with a folder of its own for what it writes down. */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { onTestFinished } from "vitest"
import { childrenOf, stillLives, until } from "../../process-executor/test/processes.ts"
import type { Entry } from "../../process-executor/test/processes.ts"

export const program = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url))

interface Ended {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that stays. */
export interface Running {
  readonly pid: number
  readonly process: ChildProcess
  /** Resolves with what it told under this name, as often as that had been told when it was asked: the first, the second, ... */
  readonly tells: (event: string, times?: number) => Promise<Record<string, any>>
  /** Resolves when it has ended. */
  readonly ended: Promise<Ended>
}

export interface Shell {
  /** Where `start` describes its cluster. */
  readonly file: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Runs it to its end. */
  readonly run: (...args: ReadonlyArray<string>) => Promise<Ended>
  /** Leaves it running, with `--json`. */
  readonly stay: (...args: ReadonlyArray<string>) => Running
}

/** For one test. Whatever it started is ended with it. */
export const openShell = (extra: Readonly<Record<string, string>> = {}): Shell => {
  const folder = mkdtempSync(join(tmpdir(), "futures-cli-"))
  const env = { ...process.env, FUTURES_CLUSTER: undefined, XDG_RUNTIME_DIR: folder, NO_COLOR: "1", ...extra }
  const file = join(folder, "futures", "cluster.json")
  onTestFinished(() => {
    if (existsSync(file)) {
      const { launcher } = JSON.parse(readFileSync(file, "utf8"))
      try {
        process.kill(launcher.pid, "SIGKILL")
      } catch {
        // It has ended.
      }
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  })
  const begin = (args: ReadonlyArray<string>): { child: ChildProcess; ended: Promise<Ended> } => {
    const child = spawn(process.execPath, [program, ...args], { env, stdio: ["ignore", "pipe", "pipe"] })
    onTestFinished(() => void child.kill("SIGKILL"))
    const exitCode = new Promise<number | null>((resolve) => child.once("exit", resolve))
    const ended = Promise.all([exitCode, text(child.stdout), text(child.stderr)]).then(([code, stdout, stderr]) => ({
      exitCode: code,
      stdout,
      stderr
    }))
    return { child, ended }
  }
  return {
    file,
    env,
    run: (...args) => begin(args).ended,
    stay: (...args) => {
      const { child, ended } = begin([...args, "--json"])
      let said = ""
      let errors = ""
      child.stdout!.on("data", (chunk: Buffer) => said += chunk)
      child.stderr!.on("data", (chunk: Buffer) => errors += chunk)
      const told = (event: string) =>
        said.split("\n").slice(0, -1).map((line) => JSON.parse(line)).filter((each) => each.event === event)
      return {
        pid: child.pid!,
        process: child,
        ended,
        tells: async (event, times = 1) => {
          await until(
            () => told(event).length >= times || child.exitCode !== null,
            20_000,
            () => `"${event}" x ${times}:\n${said}${errors}`
          )
          if (told(event).length < times) throw new Error(`It ended before "${event}" x ${times}:\n${said}${errors}`)
          return told(event)[times - 1]
        }
      }
    }
  }
}

/** A process and all that it started, and what those started. */
export const familyOf = (pid: number): ReadonlyArray<Entry> =>
  childrenOf(pid).flatMap((child) => [child, ...familyOf(child.pid)])

/** Waits until they are gone, for as long as is promised of children whose parent was killed. */
export const gone = (family: ReadonlyArray<Entry>): Promise<void> =>
  until(
    () => !family.some(stillLives),
    2_000,
    () => family.filter(stillLives).map(({ command, pid }) => `${pid} ${command}`).join("\n")
  )
