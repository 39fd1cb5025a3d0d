/** The life of a child process that serves calls. */
import { encodeParts, FrameReader, serve } from "@futures/core/Worker"
import type { Frame, Served, WorkerPort } from "@futures/core/Worker"
import { Socket } from "node:net"
import { leaveReport } from "./lastReport.ts"
import { mark, stopRequested } from "./marker.ts"
import { readInto } from "./readInto.ts"
import { takeStartArguments } from "./startArguments.ts"

// As it is at the start: a task may replace the global one, and `node:process` takes 4 ms to import.
const { process } = globalThis
const ignore = (): void => {}
// `import` would load all that it stands for into each child.
const { closeSync, writeSync } = process.getBuiltinModule("node:fs")

const FROM_PARENT = 3
const TO_PARENT = 4

/** What the thread in `orphan.ts` is given. */
export interface OrphanData {
  /** The parent's process id. */
  readonly parent: number
  /** How long this process may take to exit once its parent is gone (ms). */
  readonly exitTimeoutMs: number
  /** 1 once this process has noticed that its parent is gone. */
  readonly hasNoticed: Int32Array
}

let isHeard = true
let onUnheard = (): void => process.exit(1)

/** Returns when the parent's end has the frame: then nothing is lost, however this process ends. A parent that does not read holds up this one alone. */
const send = (frame: Frame): void => {
  if (!isHeard) return
  const parts = encodeParts(frame)
  try {
    for (const bytes of parts) for (let at = 0; at < bytes.length;) at += writeSync(TO_PARENT, bytes, at)
  } catch {
    // The parent is gone, or a task closed the channel: nobody waits for what runs here.
    isHeard = false
    onUnheard()
  }
}

/** Whether Node writes a file while it shuts down: it is not to be killed meanwhile. */
const isProfiled = (): boolean => {
  const flags = `${process.execArgv.join(" ")} ${process.env["NODE_OPTIONS"] ?? ""}`
  return process.env["NODE_V8_COVERAGE"] !== undefined || /--(cpu-prof|heap-prof|prof\b|trace-event|log)/.test(flags)
}

/**
 * Closes the channel once exit hooks have run. What follows is Node's own shutdown, which may hang (nodejs/node#54918): then the parent ends this
 * process, and knows the exit code.
 */
const closeWhenExiting = (served: Served): void => {
  const hooked = process as unknown as { reallyExit: (exitCode?: number) => never }
  const { reallyExit } = hooked
  hooked.reallyExit = (exitCode = 0) => {
    if (isHeard && !isProfiled()) {
      served.exits(exitCode)
      isHeard = false
      closeSync(TO_PARENT)
    }
    return reallyExit.call(process, exitCode)
  }
}

/** Serves the parent, for good. `modules` says where modules lie, when that is elsewhere than in the parent. */
export const serveParent = (modules: Pick<WorkerPort, "locate" | "resolve"> = {}): Served => {
  const { exitTimeoutMs, hasMarker, hasReport, name, parent } = takeStartArguments(process.argv)
  if (name !== undefined && !process.execArgv.some((flag) => flag.split("=")[0] === "--title")) process.title = name
  if (hasReport) leaveReport()
  // Who stops a service signals all of its processes (systemd, pm2): the parent decides, and may let calls finish.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, ignore)
  const served = serve({
    ...modules,
    sharesMemory: false,
    send,
    end: () => process.exit(0),
    ...(hasMarker ? { mark, stopRequested } : {}),
    memoryUsage: () => process.memoryUsage.rss()
  })
  closeWhenExiting(served)
  const reader = new FrameReader(served.receive, served.fail)
  const socket = new Socket({ fd: FROM_PARENT, readable: true, writable: false, onread: readInto(reader) })
  const hasNoticed = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  onUnheard = (): void => {
    hasNoticed[0] = 1
    isHeard = false
    // The watchdog looks whether it is closed.
    socket.destroy()
    served.leave()
  }
  socket.once("close", onUnheard)
  socket.on("error", ignore)

  if (parent === undefined) return served
  const file = import.meta.url.endsWith(".ts")
    ? new URL("./orphan.ts", import.meta.url)
    : new URL("./orphan.js", import.meta.url)
  const { Worker } = process.getBuiltinModule("node:worker_threads")
  try {
    const workerData: OrphanData = { parent, exitTimeoutMs, hasNoticed }
    new Worker(file, { workerData, env: {}, execArgv: [] }).unref()
  } catch {
    // Refused by `--permission`: the child notices the end of its parent once it reads from the channel, so not in an endless loop.
  }
  return served
}
