/** A backend over byte streams: processes, each at the other end of two pipes. */
import { encodeFrame, executorClass, FrameReader } from "@futures/core/Backend"
import type { Backend, LinkEvents, SpawnSpec } from "@futures/core/Backend"
import { spawn } from "node:child_process"
import type { Socket } from "node:net"
import { fileURLToPath } from "node:url"

const worker = fileURLToPath(new URL("./pipeWorker.ts", import.meta.url))

const pipes: Backend = {
  name: "pipes",
  sharesMemory: false,
  spawn: (spec: SpawnSpec, events: LinkEvents) => {
    const child = spawn(process.execPath, [...spec.inheritedExecArgv, ...spec.execArgv, worker, ...spec.argv], {
      env: spec.env as NodeJS.ProcessEnv,
      cwd: spec.directory,
      // 3 leads to the worker, 4 from it.
      stdio: ["ignore", "inherit", "inherit", "pipe", "pipe"]
    })
    const [toWorker, fromWorker] = child.stdio.slice(3) as [Socket, Socket]
    let error: unknown
    let ended = false
    const fail = (cause: unknown): void => {
      error ??= cause
      child.kill("SIGKILL")
    }
    const reader = new FrameReader(events.frame, fail)
    fromWorker.on("data", (chunk: Buffer) => reader.push(chunk))
    fromWorker.on("error", fail)
    // A worker that has ended reads no more: `close` follows.
    toWorker.on("error", () => {})
    child.on("error", fail)
    // When it has exited and its pipes have been read to the end: its last frames have arrived.
    child.on("close", (exitCode, signal) => {
      ended = true
      events.exit({ exitCode: exitCode ?? undefined, signal: signal ?? undefined, error })
    })
    // The engine keeps the process alive while calls are pending; a link does not.
    child.unref()
    toWorker.unref()
    fromWorker.unref()
    return {
      workerId: child.pid ?? "unborn",
      send: (frame) => {
        if (!ended) toWorker.write(encodeFrame(frame))
        return !ended
      },
      arriving: () => reader.arriving,
      kill: () => void child.kill("SIGKILL")
    }
  }
}

/** Runs tasks in processes. */
export class PipeExecutor extends executorClass(pipes) {}
