/** The options of everything that waits for futures. */
import { toMillis } from "../duration.ts"
import type { WaitOptions } from "../Future.ts"
import { ownOptions } from "../unknownOption.ts"

const names = ["timeout"] as const satisfies ReadonlyArray<keyof WaitOptions>

/** How long to wait (ms), `Infinity` by default. Throws `InvalidOptionError`. `taker`: the function that the options were given to. */
export const waitMillis = (options: WaitOptions | undefined, taker: string): number => {
  if (options === undefined) return Infinity
  const { timeout = Infinity } = ownOptions(options, names, taker)
  return toMillis(timeout, "timeout")
}
