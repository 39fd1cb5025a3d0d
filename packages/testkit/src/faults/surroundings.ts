/** Where programs run: on a read-only or full disk, with fewer rights, under a test runner, with flags. A new surrounding is one row of the table. */
import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { law, laws } from "../Law.ts"
import type { Law, LawSet } from "../Law.ts"
import { fileOf } from "../runProgram.ts"
import type { Gap } from "../Subject.ts"
import type { Origin } from "./programs.ts"

/** A program that has not ended by then is killed: it hung. */
const LIMIT_MS = 25_000

const program = fileOf(new URL("./surrounded.ts", import.meta.url))
const node = process.execPath

/** How the program is run. */
interface Surrounding {
  /** Completes "A program calls tasks ...". */
  readonly of: string
  readonly command: (rights: ReadonlyArray<string>) => ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly uid?: number
  /** Why it cannot be tried on this machine; `undefined` where it can. */
  readonly hindrance?: () => string | undefined
}

/** Runs a command where a shell script has changed what is mounted; what it changes is seen by that command only. */
const mounted = (script: string): ReadonlyArray<string> => [
  "unshare",
  "--map-root-user",
  "--mount",
  "/bin/sh",
  "-c",
  `set -e; ${script}; exec "$@"`,
  "sh"
]

const readOnly = "mount -t tmpfs -o ro none /dev/shm; mount -o remount,ro,bind /; mount -t tmpfs -o ro none /tmp"

/** The disk takes no byte more: `dd` fills it and fails. */
const full = ["/tmp", "/dev/shm"].map((directory) =>
  `mount -t tmpfs -o size=4k none ${directory}; dd if=/dev/zero of=${directory}/full bs=4k count=2 2> /dev/null || true`
).join("; ")

/** Covers the directory of the shell with an empty one; Node must be elsewhere. */
const shellless = `mount -t tmpfs none "$(dirname "$(readlink -f /bin/sh)")"`

const mountHindrance = (script: string) => (): string | undefined => {
  const [command, ...args] = [...mounted(script), node, "-e", ""]
  const { status, stderr } = spawnSync(command!, args, { encoding: "utf8" })
  return status === 0
    ? undefined
    : `this machine does not let a test mount: ${stderr?.trim() ?? "no unshare (util-linux)"}`
}

const mountedSurrounding = (of: string, script: string): Surrounding => ({
  of,
  command: () => [...mounted(script), node, program],
  hindrance: mountHindrance(script)
})

const testRunner = (of: string, ...flags: ReadonlyArray<string>): Surrounding => ({
  of,
  command: () => [node, "--test", ...flags, program]
})

/** No entry in the list of users, and no home directory. */
const UNKNOWN_USER = 54_321

const surroundingsList: ReadonlyArray<Surrounding> = [
  { of: "with a TMPDIR that does not exist", command: () => [node, program], env: { TMPDIR: "/nonexistent" } },
  mountedSurrounding("on a read-only disk", readOnly),
  mountedSurrounding("on a full disk", full),
  mountedSurrounding("without /bin/sh", shellless),
  {
    of: "with a file size limit of 0",
    command: () => ["/bin/sh", "-c", `ulimit -f 0; exec "$@"`, "sh", node, program],
    hindrance: () => process.platform === "win32" ? "Windows has no such limit" : undefined
  },
  {
    of: "with the rights that docs/security.md names, and no others",
    command: (rights) => [node, "--permission", "--allow-fs-read=*", ...rights, program]
  },
  testRunner("under node --test with values behind its flags", "--test-reporter", "tap", "--test-timeout", "20000"),
  testRunner("under node --test in one process", "--test-isolation", "none", "--test-name-pattern", "thing"),
  {
    of: "with flags and values on the command line",
    command: () => [node, "--title", "api", "--conditions", "own", "--import", "data:text/javascript,", program]
  },
  {
    of: "with NODE_OPTIONS",
    command: () => [node, program],
    env: { NODE_OPTIONS: "--max-old-space-size=512 --title api --import=data:text/javascript, --no-warnings" }
  },
  { of: "under mock timers", command: () => [node, program], env: { FUTURES_MOCK_TIMERS: "1" } },
  {
    of: "while signals reach it and its workers, as systemd and pm2 send them",
    command: () => [node, program],
    env: { FUTURES_SIGNALS: "SIGTERM,SIGHUP,SIGINT" },
    hindrance: () => process.platform === "win32" ? "Windows has no signals" : undefined
  },
  { of: "under a debugger", command: () => [node, "--inspect=127.0.0.1:0", program] },
  {
    of: "as a user without a home directory",
    command: () => [node, program],
    env: { HOME: undefined, USER: undefined, NODE_COMPILE_CACHE: undefined },
    uid: UNKNOWN_USER,
    hindrance: () => {
      if (process.getuid?.() !== 0) return "only root can run a program as another user"
      const read = spawnSync(node, ["-e", `fs.readFileSync(${JSON.stringify(program)})`], { uid: UNKNOWN_USER })
      return read.status === 0 ? undefined : "another user cannot read this directory"
    }
  }
]

const nameOf = ({ of }: Surrounding): string => `A program calls tasks ${of}`

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly text: string
}

const run = (origin: Origin, surrounding: Surrounding, rights: ReadonlyArray<string>): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const [command, ...args] = surrounding.command(rights)
    // What the test runner that runs us sets for itself is not for the program.
    const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env
    const child = spawn(command!, args, {
      env: { ...env, FUTURES_MODULE: origin.module, FUTURES_NAME: origin.name, ...surrounding.env },
      ...(surrounding.uid === undefined ? {} : { uid: surrounding.uid, gid: surrounding.uid }),
      stdio: ["ignore", "pipe", "pipe"],
      timeout: LIMIT_MS,
      killSignal: "SIGKILL"
    })
    let text = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => text += chunk)
    child.on("error", reject)
    child.on("close", (code, signal) => resolve({ code, signal, text }))
  })

/** What the program prints where everything works. */
const EXPECTED = "calls 4950, map 4950, error failed, workers 0"

const lawOf = (origin: Origin, surrounding: Surrounding, rights: ReadonlyArray<string>): Law =>
  law(nameOf(surrounding), { promises: [], needs: ["workers"], limit: LIMIT_MS }, async () => {
    const { code, signal, text } = await run(origin, surrounding, rights)
    assert.ok(text.includes(EXPECTED), `Ended with ${signal ?? code}:\n${text}`)
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, text)
  })

/**
 * Laws about programs in other surroundings. `rights`: the flags that the executor needs under `--permission`, besides `--allow-fs-read=*`.
 * `surroundingGaps()` lists those that cannot be tried on this machine.
 */
export const surroundings = (origin: Origin, rights: ReadonlyArray<string>): LawSet =>
  laws("surroundings", surroundingsList.map((surrounding) => lawOf(origin, surrounding, rights)))

/** The laws of `surroundings` that cannot be tried on this machine, each with the reason. */
export const surroundingGaps = (): ReadonlyArray<Gap> =>
  surroundingsList.flatMap((surrounding) => {
    const reason = surrounding.hindrance?.()
    return reason === undefined ? [] : [{ name: nameOf(surrounding), reason }]
  })
