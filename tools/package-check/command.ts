/** Runs other people's programs, none of them longer than it may. */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"

export interface Ended {
  /** Whether it ended by itself, in time, with code 0. */
  readonly ok: boolean
  readonly stdout: string
  /** Everything that it wrote, and why it was ended if it was. */
  readonly output: string
}

export interface CommandOptions {
  readonly cwd: string
  /** Milliseconds after which it is ended, with all that it started; two minutes by default. */
  readonly timeout?: number | undefined
  /** Laid over the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
}

const running = new Set<ChildProcess>()

const end = ({ pid }: ChildProcess): void => {
  try {
    // The whole group: package managers start programs of their own.
    process.kill(-pid!, "SIGKILL")
  } catch {
    // It has ended.
  }
}

/** Ends whatever still runs. */
export const endAll = (): void => running.forEach(end)

/** Never rejects: a program that cannot be started has not ended well. */
export const command = (
  [file, ...args]: readonly [string, ...Array<string>],
  { cwd, env, timeout = 120_000 }: CommandOptions
): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd,
      env: { ...process.env, ...env },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"]
    })
    running.add(child)
    let stdout = ""
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text
      output += text
    })
    child.stderr.setEncoding("utf8").on("data", (text) => output += text)
    const timer = setTimeout(() => {
      output += `\n(ended after ${timeout / 1000} s)`
      end(child)
    }, timeout)
    const settle = (ok: boolean): void => {
      clearTimeout(timer)
      // What it left behind goes with it.
      end(child)
      running.delete(child)
      resolve({ ok, stdout, output: output.trim() })
    }
    child.on("error", (error) => {
      output += error.message
      settle(false)
    })
    child.on("close", (code) => settle(code === 0))
  })
