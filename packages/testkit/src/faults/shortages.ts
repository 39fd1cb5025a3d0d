/** Running short: the system has no process, no thread or no descriptor left for a worker. */
import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { createInterface } from "node:readline"
import { law, laws } from "../Law.ts"
import type { Law, LawSet } from "../Law.ts"
import { fileOf } from "../runProgram.ts"
import type { Gap } from "../Subject.ts"
import type { Origin } from "./programs.ts"

/** What a program may run short of. */
interface Shortage {
  readonly of: string
  /** What `prlimit` calls it. */
  readonly limit: "nofile" | "nproc"
  /** What the system says. */
  readonly code: string
}

const shortagesOf: ReadonlyArray<Shortage> = [
  { of: "processes and threads", limit: "nproc", code: "EAGAIN" },
  { of: "descriptors", limit: "nofile", code: "EMFILE" }
]

/** A worker is started so often before it counts as one that cannot start. */
const STARTS = 3

/** The limit on processes does not hold for root: its programs are run as another user. */
const NOBODY = 65_534
const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}

const program = fileOf(new URL("./starved.ts", import.meta.url))

/** Asks the system about a program of that user. */
const prlimit = (pid: number, ...args: ReadonlyArray<string>): string => {
  const { status, stderr, stdout } = spawnSync("prlimit", ["--pid", `${pid}`, ...args], { ...user, encoding: "utf8" })
  assert.equal(status, 0, stderr)
  return stdout.trim()
}

/** What the program says that runs short as soon as it is ready, until so many workers have failed to start. */
const hear = async ({ module, name }: Origin, short: Shortage, failures: number): Promise<Array<string>> => {
  const child = spawn(process.execPath, [program, module, name], { ...user, stdio: ["pipe", "pipe", "inherit"] })
  const ended = new Promise<string>((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (code, signal) => resolve(`ended with ${signal ?? code}`))
  })
  const pid = child.pid!
  const most = (limit: string): string => prlimit(pid, `--${short.limit}=${limit}:`)
  const before = prlimit(pid, `--${short.limit}`, "--output=SOFT", "--noheadings", "--raw")
  const lines: Array<string> = []
  let failed = 0
  try {
    for await (const line of createInterface(child.stdout)) {
      lines.push(line)
      if (line === "ready") most("0")
      if (line.startsWith("failed") && ++failed === failures) most(before)
      child.stdin.write("\n")
    }
    return [...lines, await ended]
  } finally {
    child.kill("SIGKILL")
  }
}

const facts = { promises: [9], needs: ["workers"] } as const

const lasting = (short: Shortage): string =>
  `Without ${short.of} to be had, every call fails with what the system says after a few starts, and the program ends`

const passing = (short: Shortage): string =>
  `A shortage of ${short.of} that is over before the last start harms no call`

const lawsOf = (origin: Origin, short: Shortage): ReadonlyArray<Law> => {
  const failure = `failed to start: ${short.code}`
  return [
    law(lasting(short), facts, async () => {
      assert.deepEqual(await hear(origin, short, Infinity), [
        "ready",
        ...Array.from({ length: STARTS }, () => failure),
        ...Array.from({ length: 4 }, () => `BrokenExecutorError: ${short.code}`),
        "left 0",
        "ended with 0"
      ])
    }),
    law(passing(short), facts, async () => {
      assert.deepEqual(await hear(origin, short, STARTS - 1), [
        "ready",
        ...Array.from({ length: STARTS - 1 }, () => failure),
        ...[1, 2, 3, 4].map((call) => `answered ${call}`),
        "left 0",
        "ended with 0"
      ])
    })
  ]
}

/** Laws about programs that run short; `shortageGaps()` says whether this machine can try them. */
export const shortages = (origin: Origin): LawSet =>
  laws("shortages", shortagesOf.flatMap((short) => lawsOf(origin, short)))

/** Why this machine cannot make a program run short; `undefined` when it can. */
const hindrance = (): string | undefined => {
  if (spawnSync("prlimit", ["--version"]).status !== 0) return "this machine has no prlimit (util-linux)"
  const read = spawnSync(process.execPath, ["-e", `fs.readFileSync(${JSON.stringify(program)})`], user)
  return read.status === 0 ? undefined : "a limit does not hold for root, and nobody else may run Node and read this"
}

/** The laws of `shortages` where this machine cannot try them, with the reason; otherwise none. */
export const shortageGaps = (): ReadonlyArray<Gap> => {
  const reason = hindrance()
  if (reason === undefined) return []
  return shortagesOf.flatMap((short) => [lasting(short), passing(short)]).map((name) => ({ name, reason }))
}
