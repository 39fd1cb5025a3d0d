/** Child processes as workers. */
import { encodeFrame, FrameReader } from "@futures/core/Backend"
import type { Backend, LinkEvents, LinkExit, SpawnSpec } from "@futures/core/Backend"
import { spawn } from "node:child_process"
import type { Socket } from "node:net"
import { fileURLToPath } from "node:url"
import { openMarker } from "./marker.ts"
import type { Watchdog } from "./Watchdog.ts"

/**
 * A process that has ended may have left its channel to a process of its own, and one that lives may have closed it. After so many milliseconds it is
 * over either way; until then what was sent is still read, and an exit code still learned.
 */
const PATIENCE = 500

const entry = fileURLToPath(import.meta.resolve("@futures/process-executor/worker"))

/**
 * ```
 * living ──▶ exited ──▶ gone             everything that it sent is read
 * living ──▶ closed ──▶ exited ──▶ gone  it closed its channel; killed if it does not exit by itself
 * ```
 */
export const childProcesses = (watchdog: Watchdog): Backend => ({
  name: "process",
  sharesMemory: false,
  spawn: (spec: SpawnSpec, events: LinkEvents) => {
    const marker = openMarker()
    const child = spawn(
      process.execPath,
      [...spec.inheritedExecArgv, ...spec.execArgv, entry, ...watchdog.childArguments],
      {
        // Ctrl-C reaches the parent alone, which decides.
        detached: process.platform !== "win32",
        env: spec.env as NodeJS.ProcessEnv,
        // Frames travel on two descriptors of their own, one each way: so the child may read without blocking, and write without leaving anything behind.
        stdio: ["ignore", "inherit", "inherit", "pipe", "pipe", marker?.fd ?? "ignore"]
      }
    )
    const { pid } = child
    if (pid === undefined) {
      marker?.close()
      // Node tells a little later why there is no process; there may be no streams either.
      child.once("error", (error) => events.exit({ error }))
      for (const stream of (child.stdio as typeof child.stdio | undefined) ?? []) stream?.destroy()
      return { workerId: "unborn", send: () => false, kill: () => {} }
    }
    watchdog.watch(pid)
    const toChild = child.stdio[3] as Socket
    const fromChild = child.stdio[4] as unknown as Socket
    let exit: LinkExit | undefined
    let error: unknown
    let ended = false
    let patience: NodeJS.Timeout | undefined

    const kill = (): void => void child.kill("SIGKILL")
    const look = (): void => {
      if (ended) return
      if (exit === undefined || !fromChild.closed) {
        patience ??= setTimeout(() => {
          kill()
          fromChild.destroy()
        }, PATIENCE).unref()
        return
      }
      ended = true
      clearTimeout(patience)
      toChild.destroy()
      const known = { ...exit, error }
      watchdog.forget(pid, () => {
        events.exit(known)
        marker?.close()
      })
    }
    const reader = new FrameReader((frame) => events.frame(frame as never), (cause) => {
      error = cause
      kill()
    })
    child.on("exit", (exitCode, signal) => {
      exit = { exitCode: exitCode ?? undefined, signal: signal ?? undefined }
      look()
    })
    // It could not be killed: `kill` is tried again, or the worker counts as one that cannot be ended.
    child.on("error", () => {})
    fromChild.on("data", (chunk: Uint8Array) => reader.push(chunk))
    for (const socket of [toChild, fromChild]) {
      // The other end is gone: `exit` says why.
      socket.on("error", () => socket.destroy())
      socket.on("close", look)
      socket.resume()
      socket.unref()
    }
    child.unref()
    return {
      workerId: pid,
      send: (frame) => {
        if (ended || toChild.destroyed) return false
        toChild.write(encodeFrame(frame))
        return true
      },
      started: marker?.read,
      kill
    }
  }
})
