/** What it takes to reach a broker, as options, in the connection file, and on the command line alike. */

/** How to prove who we are. At most one of token, user and password, and NKey or JWT is used. */
export interface Credentials {
  /** The shared secret of a broker that knows no users. */
  readonly token?: string | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** The seed of an NKey, `SU...`; alone, or with the `jwt` that names its public key. */
  readonly nkeySeed?: string | undefined
  readonly jwt?: string | undefined
  /** Files, so that no key lies in the connection file. `caFile` alone checks the server; the other two prove the client. */
  readonly tls?:
    | {
      readonly caFile?: string | undefined
      readonly certFile?: string | undefined
      readonly keyFile?: string | undefined
    }
    | undefined
}

/** A broker, and the namespace in it. */
export interface Connection {
  /** `host:port`, or `nats://host:port`. */
  readonly servers: ReadonlyArray<string>
  readonly credentials: Credentials
  /** Clusters of different names share a broker without seeing each other. */
  readonly namespace: string
}
