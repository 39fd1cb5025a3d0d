/** The options of an engine, checked before anything starts. */
import { InvalidOptionError } from "@futures/core"
import { ownOptions, toMillis } from "@futures/core/Backend"
import type * as Duration from "effect/Duration"
import { randomUUID } from "node:crypto"
import { availableParallelism, hostname } from "node:os"
import { resolve } from "node:path"
import { DEFAULT_NAMESPACE } from "../broker/credentials.ts"
import type { Connection, Credentials } from "../broker/credentials.ts"

/** Options of an engine. */
export interface EngineOptions {
  /** Each `host:port`. */
  readonly servers: ReadonlyArray<string>
  /** How to prove who it is to the broker. */
  readonly credentials?: Credentials | undefined
  /** Default `"default"`. */
  readonly namespace?: string | undefined
  /** Workers at a time. Default: `os.availableParallelism()`. */
  readonly slots?: number | undefined
  /** What executors may ask for (`labels`). */
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** The folder below which task modules lie. Default: the working directory. */
  readonly root?: string | undefined
  /** Its name in the cluster, of letters, digits, `_` and `-`. Default: the host's name and some random letters. */
  readonly name?: string | undefined
  /** Whether task modules may be given as text, as `data:` URLs. Default `false`: what a client sends is then never code. */
  readonly textModules?: boolean | undefined
  /** How long calls that run may go on once it drains; what still runs then is handed to other engines. Default: as long as they take. */
  readonly grace?: Duration.Input | undefined
  /** Aborting it lets the engine end once what runs is done. */
  readonly drainOn?: AbortSignal | undefined
}

export interface ResolvedEngineOptions {
  readonly connection: Connection
  readonly slots: number
  readonly labels: Readonly<Record<string, string>>
  readonly root: string
  readonly id: string
  readonly textModules: boolean
  /** In milliseconds. */
  readonly grace: number
  readonly drainOn: AbortSignal | undefined
}

const names = [
  "servers",
  "credentials",
  "namespace",
  "slots",
  "labels",
  "root",
  "name",
  "textModules",
  "grace",
  "drainOn"
] as const satisfies ReadonlyArray<keyof EngineOptions>

const token = /^[\w-]{1,64}$/

/** Throws `InvalidOptionError` naming the first wrong option. */
export const resolveEngineOptions = (given: EngineOptions): ResolvedEngineOptions => {
  const options = ownOptions(given, names, "An engine")
  const { credentials = {}, drainOn, labels = {}, name, namespace = DEFAULT_NAMESPACE, root = ".", servers } = options
  const { grace = Infinity, slots = availableParallelism(), textModules = false } = options
  const millis = toMillis(grace, "grace")
  const refuse = (option: string, received: unknown, expected: string): never => {
    throw new InvalidOptionError({ option, received, expected })
  }
  if (!Array.isArray(servers) || servers.length === 0) refuse("servers", servers, "an array of host:port")
  if (!Number.isSafeInteger(slots) || slots < 1) refuse("slots", slots, "a whole number of at least 1")
  if (typeof textModules !== "boolean") refuse("textModules", textModules, "true or false")
  if (typeof root !== "string" || root === "") refuse("root", root, "the path of a folder")
  if (typeof credentials !== "object" || credentials === null) refuse("credentials", credentials, "an object")
  if (drainOn !== undefined && !(drainOn instanceof AbortSignal)) refuse("drainOn", drainOn, "an AbortSignal")
  if (name !== undefined && (typeof name !== "string" || !token.test(name))) {
    refuse("name", name, "up to 64 letters, digits, _ and -")
  }
  if (typeof namespace !== "string" || !token.test(namespace)) {
    refuse("namespace", namespace, "up to 64 letters, digits, _ and -")
  }
  if (typeof labels !== "object" || labels === null) refuse("labels", labels, "an object of strings")
  if (Object.values(labels).some((value) => typeof value !== "string")) refuse("labels", labels, "an object of strings")
  const host = hostname().replace(/[^\w-]/g, "-").slice(0, 32)
  return {
    connection: { servers, credentials, namespace },
    slots,
    labels,
    root: resolve(root),
    id: name ?? `${host}-${randomUUID().slice(0, 6)}`,
    textModules,
    grace: millis,
    drainOn
  }
}
