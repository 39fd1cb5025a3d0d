/** Engines that are to end, or to fall silent, in one way or another. */
import type { Cluster } from "@futures/cluster-executor"
import { execFileSync, spawn } from "node:child_process"
import { randomInt } from "node:crypto"
import { fileURLToPath } from "node:url"

interface Victim {
  /** It is gone from now on. */
  readonly strike: () => void
  /** Nothing is left of it. */
  readonly remove: () => void
}

const ip = (...args: ReadonlyArray<string>): string => execFileSync("ip", args, { encoding: "utf8", stdio: "pipe" })
const command = fileURLToPath(new URL("cli/main.ts", import.meta.resolve("@futures/cluster-executor")))
const root = fileURLToPath(new URL("../..", import.meta.url))

/** `futures-cluster engine`, which nobody watches. */
const join = (cluster: Cluster, servers: ReadonlyArray<string>, ...before: ReadonlyArray<string>) => {
  const { credentials } = cluster.connection
  const args = [command, "engine", "--servers", servers.join(","), "--slots", "1", "--root", root]
  const [program, ...rest] = [...before, process.execPath, ...args] as [string, ...Array<string>]
  const env = { ...process.env, FUTURES_CLUSTER_TOKEN: credentials.token }
  return spawn(program, rest, { env, stdio: "ignore" })
}

const alone = async (cluster: Cluster): Promise<Victim> => {
  const engine = join(cluster, cluster.connection.servers)
  return { strike: () => void engine.kill("SIGKILL"), remove: () => void engine.kill("SIGKILL") }
}

/** A child of this program, which says `bye` for it. */
const child = async (cluster: Cluster): Promise<Victim> => {
  const engine = await cluster.addEngine()
  return { strike: () => void engine.kill(), remove: () => void engine.kill() }
}

let count = 0

/** On another host, whose cable is cut: a network namespace. */
const cutOff = async (cluster: Cluster): Promise<Victim> => {
  const name = `det-${process.pid}-${count++}`
  const network = `10.${randomInt(200, 250)}.${randomInt(256)}`
  ip("netns", "add", name)
  ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
  ip("addr", "add", `${network}.1/30`, "dev", name)
  ip("link", "set", name, "up")
  ip("-n", name, "addr", "add", `${network}.2/30`, "dev", "eth0")
  ip("-n", name, "link", "set", "eth0", "up")
  const servers = cluster.connection.servers.map((server) => server.replace("127.0.0.1", `${network}.1`))
  const engine = join(cluster, servers, "ip", "netns", "exec", name)
  return {
    strike: () => void ip("link", "set", name, "down"),
    remove: () => {
      engine.kill("SIGKILL")
      for (const pid of ip("netns", "pids", name).trim().split("\n")) {
        if (pid !== "") process.kill(Number(pid), "SIGKILL")
      }
      ip("netns", "del", name)
    }
  }
}

/** How engines go; whether it can be tried here; and within how many milliseconds their calls are to be elsewhere, or to have failed. */
export const victims = {
  "killed, and its supervisor says so": { open: child, limit: 2_000, needsRoot: false },
  "killed, and nobody says so": { open: alone, limit: 2_000, needsRoot: false },
  "its host is cut off": { open: cutOff, limit: 5_000, needsRoot: true }
} as const
