/** What a process has: children, threads, descriptors, listeners, handles and timers. What an executor leaves behind shows here. */
import { createHook } from "node:async_hooks"
import { readdirSync, readFileSync } from "node:fs"

/** How many there are of each. What the system does not tell (no `/proc`) is not there. */
type Census = Readonly<Record<string, number>>

/** Takes censuses of this process, of what was made since it began to watch. */
export interface Censor {
  /** Once everything has come to rest. */
  readonly settled: () => Promise<Census>
  /** What there is more of than before, in words, once it is over: Node takes a turn or two to forget a handle that is closed. */
  readonly left: (before: Census) => Promise<ReadonlyArray<string>>
}

/** Resources that stay until somebody ends them; requests, promises and ticks end by themselves. */
const lasting = /^(Timeout|Immediate|WORKER|MESSAGEPORT|\w+WRAP)$/
const passing = /^(\w*REQ\w*|SHUTDOWNWRAP|WRITEWRAP|GETADDRINFO\w*|TTYWRAP)$/

export const openCensor = (): Censor => {
  const made = new Map<number, string>()
  // Timers that do not hold the process are counted too, which nothing else tells.
  createHook(
    {
      init: (id, type) => {
        if (lasting.test(type) && !passing.test(type)) made.set(id, type)
      },
      destroy: (id) => void made.delete(id),
      trackPromises: false
    } as Parameters<typeof createHook>[0]
  ).enable()

  const take = (): Census => {
    const census: Record<string, number> = {}
    const add = (what: string, count = 1): void => {
      census[what] = (census[what] ?? 0) + count
    }
    for (const type of made.values()) add(`resources ${type}`)
    for (const type of process.getActiveResourcesInfo()) add(`active ${type}`)
    for (const name of ["process", "stdin", "stdout", "stderr"] as const) {
      const emitter = name === "process" ? process : process[name]
      for (const event of emitter.eventNames()) {
        add(`listeners of ${name}, ${String(event)}`, emitter.listenerCount(event))
      }
    }
    add("children", childrenOf(process.pid).length)
    add("threads", entries("/proc/self/task").length)
    add("descriptors", entries("/proc/self/fd").length)
    return census
  }

  const more = (before: Census): ReadonlyArray<string> =>
    Object.entries(take()).filter(([what, count]) => count > (before[what] ?? 0))
      .map(([what, count]) => `${what}: ${before[what] ?? 0} before, ${count} after`)

  return {
    settled: async () => {
      for (let number = 0; number < TURNS; number++) await turn(number)
      return take()
    },
    left: async (before) => {
      for (let number = 0; number < TURNS && more(before).length > 0; number++) await turn(number)
      return more(before)
    }
  }
}

const TURNS = 100

const turn = async (number: number): Promise<void> => {
  // Some resources are over when they are collected.
  if (number % 10 === 9) globalThis.gc!()
  await new Promise((resolve) => setImmediate(resolve))
}

const entries = (path: string): ReadonlyArray<string> => {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** The living children of a process; a dead one that nobody has collected counts as dead. */
const childrenOf = (pid: number): ReadonlyArray<number> =>
  entries("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((child) => {
    try {
      const stat = readFileSync(`/proc/${child}/stat`, "latin1")
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
      return Number(parent) === pid && state !== "Z" && state !== "X"
    } catch {
      // It is gone by now.
      return false
    }
  })
