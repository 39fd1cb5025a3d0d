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

/** What our report needs. The environment may hold secrets; network addresses take time. */
const ours = {
  compact: true,
  directory: "",
  excludeEnv: true,
  excludeNetwork: true,
  filename: `/dev/fd/${REPORT}`,
  reportOnFatalError: true
}

type Settings = typeof ours
type Setting = keyof Settings

const settings = Object.keys(ours) as ReadonlyArray<Setting>

/**
 * The child's side. Only for a child that was started with such a file.
 *
 * Node has one set of settings for all its reports. Ours hold for the fatal error only: reports that tasks write, and those on a signal
 * (`--report-on-signal`), use the user's settings. A user who asks for reports on fatal errors (`--report-on-fatalerror`) gets those instead of ours.
 */
export const leaveReport = (): void => {
  const { report } = process
  if (process.platform === "win32" || report.reportOnFatalError) return
  const native: Readonly<Record<string, PropertyDescriptor>> = Object.getOwnPropertyDescriptors(report)
  const set = (setting: Setting, value: unknown): void => native[setting]!.set!.call(report, value)
  const users = Object.fromEntries(settings.map((name) => [name, native[name]!.get!.call(report)])) as Settings
  const useUsers = (): void => {
    for (const setting of settings) set(setting, users[setting])
  }
  const useOurs = (): void => {
    if (users.reportOnFatalError) return
    for (const setting of settings) set(setting, ours[setting])
  }
  const withUsers = <A>(run: () => A): A => {
    useUsers()
    try {
      return run()
    } finally {
      useOurs()
    }
  }
  for (const setting of settings) {
    Object.defineProperty(report, setting, {
      configurable: true,
      enumerable: true,
      get: () => users[setting],
      set: (value: never) => {
        // Node checks it first.
        withUsers(() => set(setting, value))
        Object.assign(users, { [setting]: value })
        useUsers()
        useOurs()
      }
    })
  }
  const { getReport, writeReport } = report
  report.getReport = (...args) => withUsers(() => getReport.apply(report, args))
  report.writeReport = (...args: ReadonlyArray<unknown>) => withUsers(() => writeReport.apply(report, args as never))
  reportOnSignals(report, native, useUsers, useOurs)
  useOurs()
}

/** Node's listener writes the report: one of ours goes before it, another after it. */
const reportOnSignals = (
  report: NodeJS.ProcessReport,
  native: Readonly<Record<string, PropertyDescriptor>>,
  before: () => void,
  after: () => void
): void => {
  let listened: NodeJS.Signals | undefined
  const listen = (): void => {
    if (listened !== undefined) process.off(listened, before).off(listened, after)
    listened = report.reportOnSignal ? report.signal : undefined
    if (listened !== undefined) process.prependListener(listened, before).on(listened, after)
  }
  for (const setting of ["reportOnSignal", "signal"] as const) {
    Object.defineProperty(report, setting, {
      ...native[setting]!,
      set: (value: unknown) => {
        native[setting]!.set!.call(report, value)
        listen()
      }
    })
  }
  listen()
}
