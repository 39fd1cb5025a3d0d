/**
 * Other hosts, as near as one machine can have them: network namespaces, each with a cable of its own to this one, which can be cut, mended and made slow.
 *
 * Linux, as root, with `ip`. Where that is not so `whyNoHosts` says why; tests then skip and print it.
 */
import { execFileSync, spawn } from "node:child_process"
import type { ChildProcess, SpawnOptions } from "node:child_process"
import { randomInt } from "node:crypto"
import { onTestFinished } from "vitest"

const run = (command: string, ...args: ReadonlyArray<string>): string =>
  execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })

const ip = (...args: ReadonlyArray<string>): string => run("ip", ...args)

let count = 0

export class Host {
  /** The address of this machine, on the cable to that host: what a broker for it listens on. */
  readonly gateway: string
  /** The address of that host. */
  readonly address: string
  readonly #namespace: string
  /** This machine's end of the cable. */
  readonly #cable: string

  constructor() {
    const network = `10.${randomInt(200, 250)}.${randomInt(256)}`
    const quarter = randomInt(64) * 4
    this.gateway = `${network}.${quarter + 1}`
    this.address = `${network}.${quarter + 2}`
    // Names of cables have at most 15 letters.
    this.#namespace = `fut-${process.pid}-${count++}`
    this.#cable = this.#namespace
    ip("netns", "add", this.#namespace)
    try {
      ip("link", "add", this.#cable, "type", "veth", "peer", "name", "eth0", "netns", this.#namespace)
      ip("addr", "add", `${this.gateway}/30`, "dev", this.#cable)
      ip("link", "set", this.#cable, "up")
      ip("-n", this.#namespace, "addr", "add", `${this.address}/30`, "dev", "eth0")
      ip("-n", this.#namespace, "link", "set", "lo", "up")
      ip("-n", this.#namespace, "link", "set", "eth0", "up")
    } catch (error) {
      this.remove()
      throw error
    }
  }

  /** Starts a program there. It has the files of this machine, and no network but its cable. */
  spawn(command: string, args: ReadonlyArray<string>, options: SpawnOptions = {}): ChildProcess {
    const child = spawn("ip", ["netns", "exec", this.#namespace, command, ...args], options)
    onTestFinished(() => void child.kill("SIGKILL"))
    return child
  }

  /** Nothing goes through any more, and nobody is told: no connection is closed, no packet is answered. */
  cut(): void {
    ip("link", "set", this.#cable, "down")
  }

  mend(): void {
    ip("link", "set", this.#cable, "up")
  }

  /** From now on so many bits a second go through, each way. */
  slow(bitsPerSecond: number): void {
    const filter = ["root", "tbf", "rate", `${bitsPerSecond}bit`, "burst", "16kbit", "latency", "10s"]
    run("tc", "qdisc", "replace", "dev", this.#cable, ...filter)
    run("ip", "netns", "exec", this.#namespace, "tc", "qdisc", "replace", "dev", "eth0", ...filter)
  }

  /** Ends every program on it, as when its power fails, and takes it away. */
  remove(): void {
    try {
      for (const pid of ip("netns", "pids", this.#namespace).split("\n")) if (pid !== "") kill(Number(pid))
    } finally {
      ip("netns", "del", this.#namespace)
    }
  }
}

const kill = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // It has ended meanwhile.
  }
}

/** A host for the running test. */
export const openHost = (): Host => {
  const host = new Host()
  let there = true
  const remove = host.remove.bind(host)
  host.remove = () => {
    if (there) remove()
    there = false
  }
  onTestFinished(() => host.remove())
  return host
}

/** Why there can be no other hosts on this machine; `undefined` where there can. */
export const whyNoHosts: string | undefined = (() => {
  if (process.platform !== "linux") return `network namespaces are Linux's, and this is ${process.platform}`
  if (process.getuid?.() !== 0) return "network namespaces are made by root"
  try {
    new Host().remove()
    return undefined
  } catch (error) {
    return `this machine makes no network namespaces: ${(error as Error).message.trim()}`
  }
})()

if (whyNoHosts !== undefined) console.log(`Tests with several hosts are skipped: ${whyNoHosts}`)

/** Why a host's cable cannot be made slow; `undefined` where it can. */
export const whyNotSlow: string | undefined = (() => {
  if (whyNoHosts !== undefined) return whyNoHosts
  const host = new Host()
  try {
    host.slow(1_000_000)
    return undefined
  } catch (error) {
    return `this machine's tc cannot limit a rate: ${(error as Error).message.trim()}`
  } finally {
    host.remove()
  }
})()
