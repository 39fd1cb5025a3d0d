/** What can go wrong with a broker of ours: data, as every error of `@futures/core`. */

/** `"missing"`: there is no `nats-server`. `"start"`: it ended, or said nothing, before it was ready. `"connection-file"`: the file that describes a cluster cannot be read. `"permission"`: the broker does not let this user do it. */
export type BrokerErrorReason = "missing" | "start" | "connection-file" | "permission"

/** A broker cannot be started or found, or does not let us do it. */
export class BrokerError extends Error {
  /** The name of its class, for `switch` and `catchTag`. */
  readonly _tag = "BrokerError"
  /** What went wrong. */
  readonly reason: BrokerErrorReason
  constructor(fields: { readonly reason: BrokerErrorReason; readonly message: string; readonly cause?: unknown }) {
    super(fields.message, "cause" in fields ? { cause: fields.cause } : undefined)
    this.reason = fields.reason
    Object.defineProperty(this, "name", { value: "BrokerError", configurable: true, writable: true })
  }
}
