/** The call that a worker makes before any other. */
import { decodeError } from "../wire/error.ts"
import type { ErrorRecord } from "../wire/error.ts"
import { Status } from "../wire/frames.ts"
import type { Setup } from "../wire/frames.ts"
import { monotonic } from "../wire/monotonic.ts"
import { CallContext } from "./CallContext.ts"
import type { CallHost } from "./CallContext.ts"
import { INITIALIZER_ID } from "./context.ts"
import { invoke } from "./invoke.ts"

/** Rejects with what the initializer ended with. */
export const initialize = async (
  host: CallHost,
  { args, module, name }: NonNullable<Setup["initializer"]>
): Promise<void> => {
  const definition = await host.load(module, name)
  const call = {
    context: new CallContext(host, INITIALIZER_ID, 0, 1, { name, definition }, monotonic()),
    definition,
    args,
    carried: undefined
  }
  const around = { mode: host.mode, transfers: () => [], restore: undefined, sharesThread: false }
  await new Promise<void>((resolve, reject) =>
    invoke(
      call,
      around,
      (status, value) => status === Status.Succeeded ? resolve() : reject(new InitializerFailure(value))
    )
  ).catch((error: unknown) => {
    throw error instanceof InitializerFailure ? decodeError(error.record) : error
  })
}

/** Carries what an initializer ended with out of its promise, whatever it is. */
class InitializerFailure {
  readonly record: ErrorRecord
  constructor(record: unknown) {
    this.record = record as ErrorRecord
  }
}
