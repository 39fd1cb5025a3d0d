/** The configuration of a `nats-server`, as an object: it reads JSON. */
import { resolve } from "node:path"
import type { BrokerTls, ResolvedBrokerOptions } from "./options.ts"
import { permissionsFor } from "./permissions.ts"

/** Folders of its own, and the port that it is to have again after a restart. */
export interface Place {
  readonly port: number
  readonly storeDir: string
  /** Where it writes down which port it took. */
  readonly portsDir: string
}

/** 64 workers, with the 8 MiB that each may have in flight. */
const MAX_PENDING_BYTES = 64 * 8 * 2 ** 20

export const serverConfig = (options: ResolvedBrokerOptions, place: Place): Readonly<Record<string, unknown>> => ({
  server_name: `futures-${options.namespace}`,
  host: options.host,
  // -1 stands for any that is free.
  port: place.port === 0 ? -1 : place.port,
  ports_file_dir: place.portsDir,
  max_payload: options.maxPayload,
  // What may wait for one connection, in bytes: what all workers of an executor may have in flight to a caller that computes.
  max_pending: Math.max(MAX_PENDING_BYTES, 4 * options.maxPayload),
  // A caller that computes, or is stopped, reads nothing meanwhile, and keeps its connection. Engines give it as long.
  write_deadline: "5m",
  ping_interval: "2m",
  ping_max: 3,
  ...(options.advertise !== undefined && place.port !== 0 &&
    { client_advertise: `${options.advertise}:${place.port}` }),
  jetstream: {
    store_dir: place.storeDir,
    sync_interval: options.sync === "always" ? "always" : "2m"
  },
  ...tlsBlock(options.tls),
  ...authorizationBlock(options)
})

const tlsBlock = (tls: BrokerTls | undefined): object =>
  tls === undefined ? {} : {
    tls: {
      cert_file: resolve(tls.certFile),
      key_file: resolve(tls.keyFile),
      ...(tls.caFile !== undefined && { ca_file: resolve(tls.caFile) }),
      verify: tls.verify ?? false
    }
  }

const authorizationBlock = ({ authorization, namespace }: ResolvedBrokerOptions): object => {
  switch (authorization.kind) {
    case "open":
      return {}
    case "token":
      return { authorization: { token: authorization.token } }
    case "users":
      return {
        authorization: {
          users: authorization.users.map(({ role, ...proof }) => ({
            ...proof,
            permissions: permissionsFor(role, namespace)
          }))
        }
      }
    case "operator": {
      const { accounts, jwt, systemAccount } = authorization.operator
      return {
        operator: jwt,
        resolver: "MEMORY",
        resolver_preload: accounts,
        ...(systemAccount !== undefined && { system_account: systemAccount })
      }
    }
  }
}
