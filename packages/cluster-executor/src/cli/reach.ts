/** The flags that say which cluster is meant: by its broker, or by the file that `start` wrote. */
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import { readFileSync } from "node:fs"
import { connectionPath, readConnection } from "../broker/connectionFile.ts"
import type { DescribedConnection } from "../broker/connectionFile.ts"
import { namespaceOf } from "../broker/options.ts"
import { CommandError } from "./output.ts"

export const optional = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withDefault(undefined))

/** A flag that the environment may say as well: secrets given as arguments can be read by every user of the machine. */
const orVariable = (name: string, variable: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(`${description} [${variable}]`),
    Flag.withFallbackConfig(Config.String(variable)),
    Flag.withDefault(undefined)
  )

export const connectionFlag = optional(
  "connection",
  "The file that describes the cluster. Default: $FUTURES_CLUSTER, or futures/cluster.json in $XDG_RUNTIME_DIR, $XDG_STATE_HOME or ~/.local/state"
)

export const reachFlags = {
  connection: connectionFlag,
  servers: orVariable("servers", "FUTURES_CLUSTER_SERVERS", "The broker instead of a file: host:port[,host:port...]"),
  token: orVariable("token", "FUTURES_CLUSTER_TOKEN", "The broker's secret"),
  user: orVariable("user", "FUTURES_CLUSTER_USER", "Who we are"),
  password: orVariable("password", "FUTURES_CLUSTER_PASSWORD", "The password of --user"),
  nkey: orVariable("nkey", "FUTURES_CLUSTER_NKEY", "A file with the seed of an NKey"),
  creds: orVariable("creds", "FUTURES_CLUSTER_CREDS", "A file with a JWT and its seed, as nsc writes it"),
  tlsCa: optional(
    "tls-ca",
    "The authority that the broker's certificate is checked against (PEM file); switches TLS on"
  ),
  tlsCert: optional("tls-cert", "Our certificate (PEM file)"),
  tlsKey: optional("tls-key", "The key of our certificate (PEM file)"),
  namespace: optional("namespace", "The part of the broker that is meant. Default: the file's, or default")
}

export type Reach = { readonly [K in keyof typeof reachFlags]: string | undefined }

/** The connection that the flags speak of. */
export const reach = (flags: Reach): DescribedConnection => {
  const { namespace, servers } = flags
  if (servers !== undefined) {
    return {
      servers: servers.split(",").map((server) => server.trim()).filter((server) => server !== ""),
      credentials: credentialsOf(flags),
      namespace: namespaceOf(namespace)
    }
  }
  const path = flags.connection ?? connectionPath()
  const described = readConnection(path)
  if (described === undefined) {
    throw new CommandError(
      `There is no cluster described in ${path}. Start one with "futures-cluster start", or name its broker with --servers`
    )
  }
  return { ...described, ...(namespace !== undefined && { namespace: namespaceOf(namespace) }) }
}

const credentialsOf = ({ creds, nkey, password, tlsCa, tlsCert, tlsKey, token, user }: Reach) => ({
  token,
  user,
  password,
  ...(nkey !== undefined && { nkeySeed: readFileSync(nkey, "utf8").trim() }),
  ...(creds !== undefined && parseCreds(creds)),
  ...((tlsCa ?? tlsCert ?? tlsKey) !== undefined && { tls: { caFile: tlsCa, certFile: tlsCert, keyFile: tlsKey } })
})

/** Two blocks between lines of dashes: `NATS USER JWT` and `USER NKEY SEED`. */
const parseCreds = (path: string): { readonly jwt: string; readonly nkeySeed: string } => {
  const text = readFileSync(path, "utf8")
  const [jwt, nkeySeed] = [...text.matchAll(/-----BEGIN [^-]+-----\s+(\S+)\s+-{3,}END/g)].map(([, block]) => block)
  if (jwt === undefined || nkeySeed === undefined) throw new CommandError(`${path} does not hold a JWT and its seed`)
  return { jwt, nkeySeed }
}
