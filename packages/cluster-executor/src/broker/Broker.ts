/**
 * A `nats-server` of ours: found, configured, started, and ended with this process.
 *
 * ```
 * starting ──▶ running ──▶ killed | stopped ──▶ starting (restart: same port, same store)
 *     │                        │
 *     └──▶ BrokerError         └──▶ the store is deleted after `stop`, if it was a temporary one
 * ```
 */
import { timers } from "@futures/core/Backend"
import { Watchdog } from "@futures/process-executor/children"
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { findBinary } from "./binary.ts"
import { BrokerError } from "./BrokerError.ts"
import { serverConfig } from "./config.ts"
import type { Credentials } from "./credentials.ts"
import { resolveBrokerOptions } from "./options.ts"
import type { BrokerOptions, ResolvedBrokerOptions } from "./options.ts"
import type { Role } from "./permissions.ts"

const { clearTimeout, performance, setTimeout } = timers

/** How long a broker that was asked to end may take to write down what it holds, in milliseconds. */
const PATIENCE = 10_000

/** How often to look whether the server has said which port it took, in milliseconds. */
const LOOK = 5

const watchdog = new Watchdog("/bin/sh")

/**
 * A NATS server with JetStream, for tests, notebooks and one machine; a cluster of machines in earnest has one that is run as other servers are.
 *
 * ```ts
 * await using broker = await Broker.start()
 * const { servers, credentials } = broker
 * ```
 *
 * It ends with this process, one that is killed included. Its log is `nats-server.log` in `storeDir`.
 */
export class Broker {
  /** Starts one and waits until it takes connections. Rejects with `InvalidOptionError` before anything starts, or `BrokerError`. */
  static async start(options: BrokerOptions = {}): Promise<Broker> {
    const resolved = resolveBrokerOptions(options)
    const broker = new Broker(resolved, findBinary(resolved.binary))
    await broker.#start()
    return broker
  }

  /** Where streams and the log are kept. */
  readonly storeDir: string
  /** What a client needs. */
  readonly credentials: Credentials
  /** What an engine needs: the same, unless the broker tells roles apart. */
  readonly engineCredentials: Credentials
  readonly #options: ResolvedBrokerOptions
  readonly #binary: string
  /** Whether `storeDir` is ours to delete. */
  readonly #temporary: boolean
  /** The running server; replaced by `restart`. */
  #child: ChildProcess | undefined
  /** The port asked for; once it is known, the one that it keeps. */
  #port: number

  private constructor(options: ResolvedBrokerOptions, binary: string) {
    this.#options = options
    this.#binary = binary
    this.#port = options.port
    this.#temporary = options.storeDir === undefined
    this.storeDir = options.storeDir === undefined
      ? mkdtempSync(join(tmpdir(), "futures-broker-"))
      : resolve(options.storeDir)
    this.credentials = credentialsOf(options, "client")
    const apart = options.authorization.kind === "users"
    this.engineCredentials = apart ? credentialsOf(options, "engine") : this.credentials
  }

  /** `host:port`, as this machine reaches it. */
  get servers(): ReadonlyArray<string> {
    const { advertise, host } = this.#options
    const reached = advertise ?? (host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host)
    return [`${reached.includes(":") ? `[${reached}]` : reached}:${this.#port}`]
  }

  /** The process id; `undefined` while it does not run. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Resolves when the server that runs now has ended, for whatever reason. */
  async ended(): Promise<void> {
    if (this.#child !== undefined) await once(this.#child, "exit")
  }

  /** Ends it as a crash would, by SIGKILL. What was on its way to the disk is lost with `sync: "interval"`, for the machine's crash only. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL")
  }

  /** Starts it again on the same port with the same store; ends it first if it runs. */
  async restart(): Promise<void> {
    await this.#end("SIGTERM")
    await this.#start()
  }

  /** Ends it in good order, and deletes a store that was only temporary. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM")
    this.#discard()
  }

  /** `stop()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** This process ends without having stopped it. */
  readonly #abandoned = (): void => {
    this.#child?.kill("SIGKILL")
    this.#discard()
  }

  #discard(): void {
    process.off("exit", this.#abandoned)
    if (this.#temporary) rmSync(this.storeDir, { recursive: true, force: true, maxRetries: 3 })
  }

  async #start(): Promise<void> {
    mkdirSync(this.storeDir, { recursive: true, mode: 0o700 })
    process.off("exit", this.#abandoned).on("exit", this.#abandoned)
    const log = join(this.storeDir, "nats-server.log")
    const file = join(this.storeDir, "nats-server.json")
    const place = { port: this.#port, storeDir: this.storeDir, portsDir: this.storeDir }
    writeFileSync(file, JSON.stringify(serverConfig(this.#options, place), undefined, 2), { mode: 0o600 })
    const output = openSync(log, "a", 0o600)
    const child = spawn(this.#binary, ["--config", file], {
      cwd: this.storeDir,
      // Ctrl-C reaches this process alone, which decides.
      detached: process.platform !== "win32",
      stdio: ["ignore", output, output]
    })
    closeSync(output)
    const failed = new Promise<unknown>((fail) => child.once("error", fail))
    if (child.pid === undefined) throw this.#refused(await failed)
    const { pid } = child
    watchdog.watch(pid)
    child.unref()
    this.#child = child
    child.once("exit", () => {
      if (this.#child === child) this.#child = undefined
      watchdog.forget(pid, () => {})
    })
    const ports = join(this.storeDir, `nats-server_${pid}.ports`)
    const deadline = performance.now() + this.#options.startTimeout
    for (;;) {
      const port = portIn(ports)
      if (port !== undefined) {
        this.#port = port
        rmSync(ports, { force: true })
        return
      }
      if (this.#child !== child) throw this.#refused(lastLines(log))
      if (performance.now() > deadline) {
        await this.#end("SIGKILL")
        throw this.#refused(`it was not ready after ${this.#options.startTimeout} ms. ${lastLines(log)}`)
      }
      await sleep(LOOK)
    }
  }

  #refused(why: unknown): BrokerError {
    this.#discard()
    const text = why instanceof Error ? why.message : String(why)
    const cause = why instanceof Error ? { cause: why } : {}
    return new BrokerError({ reason: "start", message: `${this.#binary} did not start: ${text}`, ...cause })
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    const gone = once(child, "exit")
    child.kill(signal)
    const patience = setTimeout(() => child.kill("SIGKILL"), PATIENCE)
    await gone
    clearTimeout(patience)
  }
}

const credentialsOf = ({ authorization, tls }: ResolvedBrokerOptions, role: Role): Credentials => ({
  ...(authorization.kind === "token" && { token: authorization.token }),
  ...(authorization.kind === "users" && passwordOf(authorization.users.find((user) => user.role === role))),
  ...(tls !== undefined && { tls: tls.caFile === undefined ? {} : { caFile: resolve(tls.caFile) } })
})

/** An NKey's seed is its owner's alone. */
const passwordOf = (user: object | undefined): Credentials =>
  user !== undefined && "user" in user && "password" in user
    ? { user: String(user.user), password: String(user.password) }
    : {}

/** The port that the server wrote down; `undefined` as long as it has not, or is just writing. */
const portIn = (file: string): number | undefined => {
  try {
    const { nats } = JSON.parse(readFileSync(file, "utf8")) as { readonly nats: ReadonlyArray<string> }
    return Number(/:(\d+)$/.exec(nats[0]!)![1])
  } catch {
    return undefined
  }
}

/** What the server said last, for a message. */
const lastLines = (log: string): string => readFileSync(log, "utf8").trimEnd().split("\n").slice(-3).join("\n")
