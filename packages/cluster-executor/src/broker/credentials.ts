/** What it takes to reach a broker: the same in options, in the connection file and on the command line. */
import { InvalidOptionError } from "@futures/core"
import { jwtAuthenticator, nkeyAuthenticator } from "@nats-io/transport-node"
import type { NodeConnectionOptions } from "@nats-io/transport-node"

/** The namespace of those who name none. */
export const DEFAULT_NAMESPACE = "default"

/** How to prove who we are: one of `token`, `user` with `password`, and `nkeySeed` with or without `jwt`; nothing for a broker that asks for nothing. */
export interface Credentials {
  /** The shared secret of a broker that knows no users. */
  readonly token?: string | undefined
  /** The name of a user; with `password`. */
  readonly user?: string | undefined
  /** The password of `user`. */
  readonly password?: string | undefined
  /** The seed of an NKey, `SU...`; with `jwt`, of the user that it names. */
  readonly nkeySeed?: string | undefined
  /** The user's JWT, for a broker whose users an operator signed; with `nkeySeed`. */
  readonly jwt?: string | undefined
  /** Certificates; without it, no TLS. */
  readonly tls?: TlsFiles | undefined
}

/** PEM files, so that no private key lies in the connection file. `caFile` checks the server; the other two prove who we are. `{}`: TLS, with the system's authorities. */
export interface TlsFiles {
  /** The authority that signed the server's certificate. Default: the system's authorities. */
  readonly caFile?: string | undefined
  /** Our own certificate, for a server that asks for one; with `keyFile`. */
  readonly certFile?: string | undefined
  /** The private key of `certFile`. */
  readonly keyFile?: string | undefined
}

/** A broker, and a namespace in it. */
export interface Connection {
  /** Each `host:port` or `nats://host:port`; several for brokers that form a cluster. */
  readonly servers: ReadonlyArray<string>
  /** How to prove who we are. */
  readonly credentials: Credentials
  /** Clusters of different namespaces share a broker without meeting. Default `"default"`. */
  readonly namespace: string
}

/** What `connect` of `@nats-io/transport-node` wants to know, for these credentials. */
export const connectionOptions = (
  { credentials, servers }: Pick<Connection, "servers" | "credentials">
): NodeConnectionOptions => ({ servers: [...servers], ...proof(credentials), ...tlsOf(credentials.tls) })

const proof = (
  { jwt, nkeySeed, password, token, user }: Credentials
): Pick<NodeConnectionOptions, "authenticator" | "token" | "user" | "pass"> => {
  const ways = Object.entries({ token, user, nkeySeed: nkeySeed ?? jwt }).filter(([, value]) => value !== undefined)
  if (ways.length > 1) {
    const received = ways.map(([name]) => name).join(" and ")
    throw new InvalidOptionError({ option: "credentials", received, expected: "one of token, user and nkeySeed" })
  }
  if (token !== undefined) return { token }
  if (user !== undefined) return { user, ...(password !== undefined && { pass: password }) }
  const seed = nkeySeed === undefined ? undefined : new TextEncoder().encode(nkeySeed)
  if (jwt !== undefined) return { authenticator: jwtAuthenticator(jwt, seed) }
  if (seed !== undefined) return { authenticator: nkeyAuthenticator(seed) }
  return {}
}

const tlsOf = (tls: TlsFiles | undefined): Pick<NodeConnectionOptions, "tls"> => {
  if (tls === undefined) return {}
  const { caFile, certFile, keyFile } = tls
  return {
    tls: {
      ...(caFile !== undefined && { caFile }),
      ...(certFile !== undefined && { certFile }),
      ...(keyFile !== undefined && { keyFile })
    }
  }
}
