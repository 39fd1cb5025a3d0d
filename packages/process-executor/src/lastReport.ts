/**
 * Why Node gave up. A process whose heap is full aborts like one that calls `abort()`; only Node's diagnostic report, written on the way, tells the
 * two apart. It goes into a file without a name, so that nothing is left of it.
 */

// As it is at the start: a task may replace the global one, and `node:process` takes 4 ms to import.
const { process } = globalThis
// `import` would load all that it stands for into each child.
const { closeSync, readSync } = process.getBuiltinModule("node:fs")

/** The child finds it on this descriptor. */
const REPORT = 6

/** The parent's side. */
export interface LastReport {
  readonly fd: number
  /** The error that a process died of which ran out of memory; `undefined` when it died of something else. To be asked once it is dead. */
  readonly outOfMemory: () => Error | undefined
  readonly close: () => void
}

/** Takes the file over. `undefined` where there is none: then nobody can tell. */
export const lastReportIn = (fd: number | undefined): LastReport | undefined => {
  if (fd === undefined) return undefined
  return {
    fd,
    outOfMemory: () => {
      const head = Buffer.alloc(HEAD)
      const text = head.toString("utf8", 0, readSync(fd, head, 0, HEAD, 0))
      if (!text.includes("\"trigger\":\"OOMError\"")) return undefined
      const event = /"event":"([^"]*)"/.exec(text)?.[1] ?? "its heap is full"
      // As Node calls it on a thread.
      return Object.assign(new Error(`The process ran out of memory: ${event}`), { code: "ERR_WORKER_OUT_OF_MEMORY" })
    },
    close: () => closeSync(fd)
  }
}

/** What happened, and of what kind it was, stands at the beginning. */
const HEAD = 512

/** The child's side. Whoever asked for reports of his own (`--report-on-fatalerror`) gets those instead. */
export const leaveReport = (): void => {
  const { report } = process
  if (process.platform === "win32" || report.reportOnFatalError) return
  Object.assign(report, {
    compact: true,
    directory: "/dev/fd",
    // The environment may hold secrets; addresses take time.
    excludeEnv: true,
    excludeNetwork: true,
    filename: String(REPORT),
    reportOnFatalError: true
  })
}
