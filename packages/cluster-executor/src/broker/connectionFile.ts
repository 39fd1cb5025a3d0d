/**
 * The file that says how to reach a cluster: `futures-cluster start` writes it, `Cluster.connect()` and the other commands find it.
 *
 * It holds secrets, so only its owner may read it.
 */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { homedir, hostname } from "node:os"
import { dirname, join } from "node:path"
import { BrokerError } from "./BrokerError.ts"
import type { Connection } from "./credentials.ts"
import { DEFAULT_NAMESPACE } from "./credentials.ts"

/** The variable that names another file. */
const CONNECTION_VARIABLE = "FUTURES_CLUSTER"

/** The process that holds a cluster together, so that `futures-cluster stop` can end it. */
export interface Launcher {
  readonly pid: number
  readonly host: string
  /** When the process was born, as the system says it; another may get the same pid later. Empty where the system does not say. */
  readonly born: string
}

/** A connection, and who holds it together where that is a process of this machine. */
export interface DescribedConnection extends Connection {
  readonly launcher?: Launcher | undefined
  /** The folder below which its engines find task modules. */
  readonly root?: string | undefined
}

/** The code root of the cluster's engines, if they are on this machine. */
export const rootHere = (described: DescribedConnection | undefined): string | undefined =>
  described?.launcher?.host === hostname() ? described.root : undefined

/** `FUTURES_CLUSTER`, or `futures/cluster.json` in `XDG_RUNTIME_DIR`, `XDG_STATE_HOME` or `~/.local/state`, whichever is set first. */
export const connectionPath = (env: Readonly<Record<string, string | undefined>> = process.env): string => {
  const folder = env["XDG_RUNTIME_DIR"] || env["XDG_STATE_HOME"] || join(homedir(), ".local", "state")
  return env[CONNECTION_VARIABLE] || join(folder, "futures", "cluster.json")
}

/**
 * What the file says; `undefined` when there is none.
 *
 * @throws BrokerError (`connection-file`) for a file that cannot be read or does not describe a cluster.
 */
export const readConnection = (path: string = connectionPath()): DescribedConnection | undefined => {
  const refuse = (what: string, cause?: unknown) =>
    new BrokerError({ reason: "connection-file", message: `${path} does not describe a cluster: ${what}`, cause })
  let value: Partial<DescribedConnection> | null
  try {
    value = JSON.parse(readFileSync(path, "utf8"))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw refuse((cause as Error).message, cause)
  }
  const { credentials = {}, launcher, namespace = DEFAULT_NAMESPACE, root, servers } = value ?? {}
  if (!Array.isArray(servers) || servers.length === 0 || !servers.every((server) => typeof server === "string")) {
    throw refuse("servers must be an array of one or more strings")
  }
  if (typeof credentials !== "object" || credentials === null) throw refuse("credentials must be an object")
  if (typeof namespace !== "string") throw refuse("namespace must be a string")
  if (root !== undefined && typeof root !== "string") throw refuse("root must be a string")
  return { servers, credentials, namespace, launcher, ...(root !== undefined && { root }) }
}

/** Writes the file, readable by its owner alone, all at once: nobody ever sees half of it. Answers with its path. */
export const writeConnection = (connection: DescribedConnection, path: string = connectionPath()): string => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(connection, undefined, 2)}\n`, { mode: 0o600 })
  // The mode above counts only for a file that was not there yet.
  chmodSync(draft, 0o600)
  renameSync(draft, path)
  return path
}

/** Takes the file away, when it still describes the cluster that this process holds together. */
export const removeConnection = (launcher: Launcher, path: string = connectionPath()): void => {
  if (readConnection(path)?.launcher?.pid === launcher.pid) rmSync(path, { force: true })
}
