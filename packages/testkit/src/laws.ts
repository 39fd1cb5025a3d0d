/** Every law, by concept: from what arrives, over how calls settle, to how executors end. */
import type { LawSet } from "./Law.ts"
import { clocks } from "./laws/clocks.ts"
import { crashes } from "./laws/crashes.ts"
import { effects } from "./laws/effects.ts"
import { ending } from "./laws/ending.ts"
import { errors } from "./laws/errors.ts"
import { futures } from "./laws/futures.ts"
import { many } from "./laws/many.ts"
import { map } from "./laws/map.ts"
import { mapFailures } from "./laws/mapFailures.ts"
import { options } from "./laws/options.ts"
import { order } from "./laws/order.ts"
import { output } from "./laws/output.ts"
import { portability } from "./laws/portability.ts"
import { scopes } from "./laws/scopes.ts"
import { settling } from "./laws/settling.ts"
import { stopping } from "./laws/stopping.ts"
import { values } from "./laws/values.ts"

/** The laws that every backend keeps. */
export const contract: ReadonlyArray<LawSet> = [
  values,
  portability,
  errors,
  settling,
  clocks,
  stopping,
  order,
  futures,
  many,
  map,
  mapFailures,
  effects,
  scopes,
  options,
  output,
  ending,
  crashes
]
