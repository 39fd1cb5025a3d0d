/**
 * Ends child processes whose parent is gone, also after SIGKILL or a crash.
 *
 * A child sees its channel close, and exits in order. One in an endless loop cannot, and exit hooks may hang, so a shell stands by: it reads which
 * children live, one list a line. When its input ends, because the parent is gone, it waits until those on the last list are gone, and kills those that
 * take too long.
 *
 * ```
 * none ──▶ standing by      the first child is born
 * standing by ──▶ none      the last child is gone, or the shell was killed; then another takes its place
 * ```
 */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"

/**
 * Children that have not noticed that their channel is closed after so long are in an endless loop: they are killed. In tenths of a second, which is what
 * the shell counts in.
 */
const STUCK_TENTHS = 5

/**
 * `$each` is `pid/start time/limit`. The start time tells a process from another that got its number later. The limit is how long, in tenths of a second,
 * it may take to exit. Except for `sleep` only builtins of the shell: it runs without a PATH. Without `sleep` all are killed at once.
 *
 * A child that listens closes its end of the channel, which is its descriptor 3.
 */
const script = `
trap '' HUP INT QUIT TERM
list=$*
while read -r line; do list=$line; done
now=0
while [ -n "$list" ]; do
  left=
  for each in $list; do
    pid=\${each%%/*} limit=\${each##*/} born=\${each#*/}
    born=\${born%/*}
    if [ -n "$born" ]; then
      { read -r stat < "/proc/$pid/stat"; } 2> /dev/null || continue
      set -- \${stat##*) }
      [ "\${20}" = "$born" ] && [ "$1" != Z ] || continue
      [ "$now" -ge ${STUCK_TENTHS} ] && [ -S "/proc/$pid/fd/3" ] && limit=0
    else
      kill -0 "$pid" 2> /dev/null || continue
    fi
    if [ "$now" -ge "$limit" ]; then kill -9 "$pid" 2> /dev/null
    else left="$left $each"
    fi
  done
  list=$left
  if [ -z "$list" ]; then break
  elif sleep 0.1; then now=$((now + 1))
  elif sleep 1; then now=$((now + 10))
  else now=${Number.MAX_SAFE_INTEGER}
  fi
done
`

/** Ends children whose parent died without a word. One serves all children of a process. */
export class Watchdog {
  #command: string | undefined
  /** Whether the shell was looked for: not before the first child, so that an import touches no file. */
  #looked = false
  /** Children that live: for each what the shell needs besides its number, "start time/limit". */
  readonly #children = new Map<number, string>()
  #shell: ChildProcess | undefined

  constructor(command: string) {
    // On Windows the system ends children.
    this.#command = process.platform === "win32" ? undefined : command
  }

  /** The process that a child has to watch itself, where there is no shell (images without one). */
  parentToWatch(): number | undefined {
    if (process.platform === "win32") return undefined
    if (!this.#looked) {
      this.#looked = true
      if (this.#command !== undefined && !mayExist(this.#command)) this.#command = undefined
    }
    return this.#command === undefined ? process.pid : undefined
  }

  /**
   * From now on the child does not outlive this process by more than so many milliseconds. To be called before it is sent anything: until then it cannot
   * but see its channel close. Default: it is killed at once.
   */
  watch(pid: number, exitTimeoutMs = 0): void {
    if (this.#command === undefined) return
    const tenths = Math.min(Math.ceil(exitTimeoutMs / 100), Number.MAX_SAFE_INTEGER)
    this.#children.set(pid, `${startTime(pid)}/${tenths}`)
    this.#tell(this.#command)
  }

  /** The child is gone. Calls back when the shell is gone too, if this child was the last: an executor that has ended leaves nothing behind. */
  forget(pid: number, done: () => void): void {
    this.#children.delete(pid)
    const shell = this.#shell
    if (shell === undefined) return done()
    if (this.#children.size > 0) {
      this.#tell(this.#command!)
      return done()
    }
    this.#shell = undefined
    shell.once("exit", done)
    shell.kill("SIGKILL")
  }

  #tell(command: string): void {
    const list = Array.from(this.#children, ([pid, rest]) => `${pid}/${rest}`)
    if (this.#shell === undefined) this.#shell = this.#start(command, list)
    else this.#shell.stdin!.write(`${list.join(" ")}\n`)
  }

  /** The first list is there from birth: there is no moment at which the shell stands by and knows of nobody. */
  #start(command: string, list: ReadonlyArray<string>): ChildProcess | undefined {
    // A session of its own, so that Ctrl-C does not reach it; away from any directory that somebody may want to unmount.
    let shell: ChildProcess
    try {
      shell = spawn(command, ["-c", script, "futures-watchdog", ...list], {
        cwd: "/",
        detached: true,
        env: {},
        stdio: ["pipe", "ignore", "ignore"]
      })
    } catch {
      // Out of memory: the next child tries again.
      return undefined
    }
    // Out of processes or descriptors: the same. Where there is no shell after all, children that start later watch this process themselves.
    shell.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "EACCES") this.#command = undefined
    })
    if (shell.pid === undefined) return undefined
    shell.unref()
    shell.stdin!.on("error", () => {})
    ;(shell.stdin as unknown as { unref(): void }).unref()
    shell.on("exit", (_, signal) => {
      if (this.#shell !== shell) return
      this.#shell = undefined
      // Somebody killed it. One that ends by itself would do so again: the next child tries another.
      if (signal === "SIGKILL") this.#tell(command)
    })
    return shell
  }
}

/** Also true when `--permission` forbids to look: a program may be started without the right to read it. */
const mayExist = (command: string): boolean => {
  try {
    return existsSync(command)
  } catch {
    return true
  }
}

/** Field 22 of `/proc/PID/stat`, behind the program's name, which may hold anything. Empty where there is no `/proc`. */
const startTime = (pid: number): string => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
  } catch {
    return ""
  }
}
