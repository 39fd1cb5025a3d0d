/** The executor on child processes: a crash, a leak or an endless loop in one stays there, and every one of them can be stopped. */
import { encodeFrame, executorClass, FrameReader } from "@futures/core/Backend"
import type { Backend, LinkEvents, SpawnSpec } from "@futures/core/Backend"
import { spawn } from "node:child_process"
import type { Socket } from "node:net"
import { fileURLToPath } from "node:url"

/** Frames travel on this descriptor: a socket pair, which is faster than Node's own channel and leaves stdin, stdout and stderr alone. */
const WIRE = 3

const entry = fileURLToPath(import.meta.resolve("@futures/process-executor/worker"))

const child: Backend = {
  name: "process",
  sharesMemory: false,
  spawn: (spec: SpawnSpec, events: LinkEvents) => {
    const process_ = spawn(process.execPath, [...spec.inheritedExecArgv, ...spec.execArgv, entry], {
      // Ctrl-C reaches the parent alone, which decides.
      detached: process.platform !== "win32",
      env: spec.env as NodeJS.ProcessEnv,
      stdio: ["ignore", "inherit", "inherit", "pipe"]
    })
    const socket = process_.stdio[WIRE] as Socket
    let ended = false
    let error: unknown
    let exited: { readonly exitCode: number | undefined; readonly signal: string | undefined } | undefined

    /** The worker has ended once the process has, and everything it sent is read. */
    const end = (): void => {
      if (ended || exited === undefined || !socket.destroyed) return
      ended = true
      events.exit({ ...exited, error })
    }
    const fail = (cause: unknown): void => {
      error ??= cause
      process_.kill("SIGKILL")
    }
    const reader = new FrameReader((frame) => events.frame(frame as never), fail)
    process_.unref()
    ;(socket as Socket & { unref(): void }).unref()
    socket.on("data", (chunk: Uint8Array) => reader.push(chunk))
    // The other end is gone: `exit` says why.
    socket.on("error", () => socket.destroy())
    socket.on("close", end)
    process_.on("error", (cause) => {
      error ??= cause
      exited ??= { exitCode: undefined, signal: undefined }
      socket.destroy()
      end()
    })
    process_.on("exit", (exitCode, signal) => {
      exited = { exitCode: exitCode ?? undefined, signal: signal ?? undefined }
      end()
    })
    return {
      workerId: process_.pid ?? "unborn",
      send: (frame) => {
        if (ended || socket.destroyed) return false
        socket.write(encodeFrame(frame))
        return true
      },
      kill: () => void process_.kill("SIGKILL")
    }
  }
}

/**
 * Runs tasks in child processes.
 *
 * ```ts
 * await using executor = new ProcessExecutor({ maxWorkers: 4 })
 * console.log(await executor.submit(fib, 30).result())
 * ```
 */
export class ProcessExecutor extends executorClass(child) {}
