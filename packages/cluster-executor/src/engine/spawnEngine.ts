/** Runs an engine as a child process, which ends with this one. */
import { inheritedExecArgv, ownObject } from "@futures/core/Backend"
import { spawn } from "node:child_process"
import type { Socket } from "node:net"
import { fileURLToPath } from "node:url"
import { resolveEngineOptions } from "./options.ts"
import type { EngineOptions } from "./options.ts"

/** How an engine's process ended. */
export interface EngineExit {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null
  /** The signal that ended it; `null` when it exited by itself. */
  readonly signal: NodeJS.Signals | null
}

/** In words: `exit code 1`, `signal SIGKILL`. */
export const describeExit = ({ exitCode, signal }: EngineExit): string =>
  signal !== null ? `signal ${signal}` : `exit code ${exitCode ?? "unknown"}`

/** An engine in a process of its own. */
export interface SpawnedEngine {
  /** Its name in the cluster. */
  readonly id: string
  /** Its process id. */
  readonly pid: number
  /** Takes nothing more; resolves when what runs is done and the process has ended. */
  readonly drain: () => Promise<void>
  /** Ends it now, by SIGKILL. */
  readonly kill: () => Promise<void>
  /** Resolves when the process has ended, with how. After a drain the exit code is 0. */
  readonly done: Promise<EngineExit>
}

const main = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./main.ts" : "./main.js", import.meta.url))

/**
 * Starts an engine in a process of its own and resolves once it has joined. It ends with this process, also when that is killed, and does not keep it
 * alive. Rejects with `InvalidOptionError`, or with what the engine said.
 */
export const spawnEngine = async (given: EngineOptions): Promise<SpawnedEngine> => {
  const { drainOn, ...options } = ownObject(given)
  const { grace } = resolveEngineOptions(options)
  const execArgv = inheritedExecArgv().filter((argument) => argument !== "--conditions=futures-worker")
  const child = spawn(process.execPath, [...execArgv, main], {
    // Ctrl-C reaches this process alone, which decides.
    detached: process.platform !== "win32",
    stdio: ["pipe", "inherit", "inherit", "ipc"]
  })
  const exited = new Promise<EngineExit>((resolve) => {
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }))
    child.once("error", () => resolve({ exitCode: null, signal: null }))
  })
  const stdin = child.stdin as unknown as Socket
  stdin.on("error", () => {})
  const said = new Promise<string>((resolve, reject) => {
    child.once("message", (line) => resolve(String(line)))
    child.once("error", reject)
    child.once("exit", (code, signal) => reject(new Error(`The engine ended at once (${signal ?? code})`)))
  })
  // JSON has no word for infinity, which is the default.
  stdin.write(`${JSON.stringify({ ...options, grace: grace === Infinity ? undefined : grace })}\n`)
  const line = await said
  if (!line.startsWith("ready ")) {
    await exited
    throw new Error(`The engine did not start: ${line.slice(line.indexOf(" ") + 1)}`)
  }
  child.disconnect()
  child.unref()
  stdin.unref()
  const drain = async (): Promise<void> => {
    if (stdin.writable) stdin.write("drain\n")
    child.ref()
    await exited
  }
  drainOn?.addEventListener("abort", () => void drain(), { once: true })
  return {
    id: line.slice("ready ".length),
    pid: child.pid!,
    drain,
    kill: async () => {
      child.ref()
      child.kill("SIGKILL")
      await exited
    },
    done: exited
  }
}
