/** The executor on several machines: engines anywhere pull calls from a NATS server. */
export { Broker } from "./broker/Broker.ts"
export { BrokerError } from "./broker/BrokerError.ts"
export type { BrokerErrorReason } from "./broker/BrokerError.ts"
export { readConnection, writeConnection } from "./broker/connectionFile.ts"
export type { Connection, Credentials, TlsFiles } from "./broker/credentials.ts"
export type { BrokerOptions, BrokerTls, BrokerUser, Operator } from "./broker/options.ts"
export { permissionsFor } from "./broker/permissions.ts"
export type { Permissions, Role } from "./broker/permissions.ts"
