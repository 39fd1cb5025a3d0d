/** The executor on several machines: engines anywhere pull calls from a NATS server. */
export type { Connection, Credentials } from "./broker/credentials.ts"
