/**
 * A child process that serves calls, as bytes: what it reads and writes are frames, which nobody looks into here.
 *
 * ```
 * living ──▶ exited ──▶ gone             everything that it sent is read
 * living ──▶ closed ──▶ exited ──▶ gone  it exits, or it closed its channel; killed if it does not exit by itself
 * ```
 */
import type { LinkExit } from "@futures/core/Backend"
import { timers } from "@futures/core/Backend"
import { spawn } from "node:child_process"
import { existsSync, statSync } from "node:fs"
import type { Socket } from "node:net"
import { lastReportIn } from "./lastReport.ts"
import { MARKER_BYTES, markerIn } from "./marker.ts"
import { openNameless } from "./nameless.ts"
import { readPipe } from "./readInto.ts"
import type { ByteReader } from "./readInto.ts"
import { readToEnd } from "./readToEnd.ts"
import { argumentsOf } from "./startArguments.ts"
import type { Watchdog } from "./Watchdog.ts"

const { clearTimeout, setTimeout } = timers
const nextTick = process.nextTick.bind(process)

/** How a child is born. */
export interface ChildSpec {
  /** Its title in lists of processes; the command line by default. */
  readonly name?: string | undefined
  /** The file that it runs: one that calls `serveParent`. */
  readonly entry: string
  readonly execArgv: ReadonlyArray<string>
  /** Added to its `process.argv`. Default: none. */
  readonly argv?: ReadonlyArray<string> | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** Its working directory; this process's by default. */
  readonly directory?: string | undefined
  /** How long it may take to exit once this process is gone, in milliseconds. Default: 10 seconds. */
  readonly exitTimeoutMs?: number | undefined
  readonly watchdog: Watchdog
}

/** What a child tells. Handlers do not throw. */
export interface ChildEvents {
  /** Takes all that it sends. */
  readonly reader: ByteReader
  /** It has ended, and everything that it wrote has been told. Exactly once. */
  readonly exit: (exit: LinkExit) => void
}

/** A child process. It does not keep this one alive. */
export interface Child {
  /** `undefined` when there was no process to be had; `exit` says why. */
  readonly pid: number | undefined
  /** Answers `false` once it has ended. */
  readonly write: (...parts: ReadonlyArray<Uint8Array>) => boolean
  /** The number that it marked last; absent where it cannot be told. */
  readonly started: (() => number) | undefined
  /** Waits, blocking, until it has exited and what it sent is read, or so many milliseconds are over. Returns whether it has. */
  readonly waitForExit: (timeoutMs: number) => boolean
  /** Lets it see that a call is to stop, by its wire id, while it reads nothing; absent where it cannot be told. */
  readonly requestStop: ((wireId: number) => void) | undefined
  /** Ends it in order, though calls may run: they are asked to stop. It is killed when it does not notice, or takes longer than it may. */
  readonly leave: () => void
  /** Ends it now. */
  readonly kill: () => void
  /** Ends it as a broken one: what it says cannot be read. */
  readonly fail: (error: Error) => void
}

/** A process that has ended may have left its channel to a process of its own. After this many milliseconds nothing more is read from that. */
const LEFT_OPEN_MS = 500
/** A process that lives may have closed its channel, above all because it exits. It is killed after this many milliseconds. */
const CLOSED_MS = 2_000

/** One that has not noticed after so many milliseconds that its channel is closed is in an endless loop. */
const STUCK_MS = 500

/** Whether it has closed its end of the channel, its descriptor 3. Where that cannot be told it has not. */
const hasNoticed = (pid: number): boolean => {
  try {
    return existsSync(`/proc/${pid}/fd`) && !statSync(`/proc/${pid}/fd/3`).isSocket()
  } catch {
    return existsSync(`/proc/${pid}/fd`)
  }
}

/** The default of `exitTimeout`. */
const EXIT_TIMEOUT_MS = 10_000

/** Starts a child process that speaks frames on two pipes of its own. */
export const openChild = (
  { argv = [], directory, entry, env, execArgv, exitTimeoutMs = EXIT_TIMEOUT_MS, name, watchdog }: ChildSpec,
  events: ChildEvents
): Child => {
  const marker = markerIn(openNameless(MARKER_BYTES))
  const report = lastReportIn(openNameless(0))
  const close = (): void => {
    marker?.close()
    report?.close()
  }
  const own = argumentsOf({
    name,
    hasMarker: marker !== undefined,
    hasReport: report !== undefined,
    parent: watchdog.parentToWatch(),
    exitTimeoutMs
  })
  const start = () => {
    try {
      return spawn(process.execPath, [...execArgv, entry, ...own, ...argv], {
        cwd: directory,
        // Ctrl-C reaches the parent alone, which decides.
        detached: process.platform !== "win32",
        env: env as NodeJS.ProcessEnv,
        // Frames travel on two descriptors of their own, one each way: so the child may read without blocking, and write without leaving anything behind.
        stdio: ["ignore", "inherit", "inherit", "pipe", "pipe", marker?.fd ?? "ignore", report?.fd ?? "ignore"]
      })
    } catch (error) {
      // Of some failures Node tells later, these it throws: no memory, an environment that is too large.
      close()
      throw error
    }
  }
  const child = start()
  const { pid } = child
  if (pid === undefined) {
    close()
    // Node tells a little later why there is no process; there may be no streams either.
    child.once("error", (error) => events.exit({ error }))
    for (const stream of (child.stdio as typeof child.stdio | undefined) ?? []) stream?.destroy()
    const nothing = (): void => {}
    const none = { started: undefined, requestStop: undefined, waitForExit: () => true }
    return { pid, write: () => false, ...none, leave: nothing, kill: nothing, fail: nothing }
  }
  const toChild = child.stdio[3] as Socket
  // Children that start together are all born before the shell is told of them, since its own birth would hold up theirs; and none hears anything before.
  toChild.cork()
  nextTick(() => {
    watchdog.watch(pid, exitTimeoutMs)
    toChild.uncork()
  })
  const fromChild = readPipe(child.stdio[4] as unknown as Socket, events.reader)
  let exit: LinkExit | undefined
  let error: unknown
  let ended = false
  let patience: NodeJS.Timeout | undefined
  let isLeaving = false

  const kill = (): void => void child.kill("SIGKILL")
  const look = (): void => {
    if (ended || (isLeaving && exit === undefined)) return
    if (exit === undefined || !fromChild.closed) {
      patience ??= setTimeout(() => {
        kill()
        fromChild.destroy()
      }, exit === undefined ? CLOSED_MS : LEFT_OPEN_MS).unref()
      return
    }
    ended = true
    clearTimeout(patience)
    toChild.destroy()
    if (exit.signal === "SIGABRT") error ??= report?.outOfMemory()
    const known = { ...exit, error }
    watchdog.forget(pid, () => {
      events.exit(known)
      close()
    })
  }
  child.on("exit", (exitCode, signal) => {
    exit = { exitCode: exitCode ?? undefined, signal: signal ?? undefined }
    look()
  })
  // It could not be killed: `kill` is tried again, or the worker counts as one that cannot be ended.
  child.on("error", () => {})
  for (const socket of [toChild, fromChild]) {
    // The other end is gone: `exit` says why.
    socket.on("error", () => socket.destroy())
    socket.on("close", look)
    socket.resume()
    socket.unref()
  }
  child.unref()
  return {
    pid,
    write: (...parts) => {
      if (ended || toChild.destroyed) return false
      // Together, in one call of the system.
      toChild.cork()
      for (const bytes of parts) toChild.write(bytes)
      toChild.uncork()
      return true
    },
    started: marker?.read,
    waitForExit: (timeoutMs) => ended || readToEnd(fromChild, events.reader, timeoutMs),
    // The descriptor is another file's once it is closed.
    requestStop: marker && ((wireId) => ended || marker.requestStop(wireId)),
    leave: () => {
      if (ended || isLeaving) return
      isLeaving = true
      toChild.destroy()
      setTimeout(() => {
        if (!ended && !hasNoticed(pid)) kill()
      }, STUCK_MS).unref()
      if (exitTimeoutMs !== Infinity) setTimeout(kill, exitTimeoutMs).unref()
    },
    kill,
    fail: (cause) => {
      error = cause
      kill()
    }
  }
}
