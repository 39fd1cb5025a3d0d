/** What can go wrong with a broker of ours: data, as every error of `@futures/core`. */

/**
 * `"missing"`: there is no `nats-server`. `"start"`: it ended, or said nothing, before it was ready. `"connection-file"`: there is no file that describes a
 * cluster, or it cannot be read. `"unreachable"`: no broker answers there. `"permission"`: the broker does not let this user in, or do it.
 */
export type BrokerErrorReason = "missing" | "start" | "connection-file" | "unreachable" | "permission"

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
