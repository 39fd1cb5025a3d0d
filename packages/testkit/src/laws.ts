/** Every law, by concept: from what arrives, over how calls settle, to how executors end. */
import type { LawSet } from "./Law.ts"
import { attempts } from "./laws/attempts.ts"
import { backpressure } from "./laws/backpressure.ts"
import { callbacks } from "./laws/callbacks.ts"
import { clocks } from "./laws/clocks.ts"
import { contexts } from "./laws/context.ts"
import { control } from "./laws/control.ts"
import { crashes } from "./laws/crashes.ts"
import { effects } from "./laws/effects.ts"
import { ending } from "./laws/ending.ts"
import { errors } from "./laws/errors.ts"
import { events } from "./laws/events.ts"
import { exits } from "./laws/exits.ts"
import { futures } from "./laws/futures.ts"
import { identity } from "./laws/identity.ts"
import { interactive } from "./laws/interactive.ts"
import { many } from "./laws/many.ts"
import { map } from "./laws/map.ts"
import { mapBounds } from "./laws/mapBounds.ts"
import { mapEnding } from "./laws/mapEnding.ts"
import { mapFailures } from "./laws/mapFailures.ts"
import { mapFamily } from "./laws/mapFamily.ts"
import { metrics } from "./laws/metrics.ts"
import { nested } from "./laws/nested.ts"
import { options } from "./laws/options.ts"
import { order } from "./laws/order.ts"
import { output } from "./laws/output.ts"
import { polling } from "./laws/polling.ts"
import { portability } from "./laws/portability.ts"
import { priorities } from "./laws/priorities.ts"
import { progress } from "./laws/progress.ts"
import { reasons } from "./laws/reasons.ts"
import { recycling } from "./laws/recycling.ts"
import { retries } from "./laws/retries.ts"
import { running } from "./laws/running.ts"
import { scopes } from "./laws/scopes.ts"
import { services } from "./laws/services.ts"
import { settling } from "./laws/settling.ts"
import { spans } from "./laws/spans.ts"
import { stopping } from "./laws/stopping.ts"
import { streams } from "./laws/streams.ts"
import { timers } from "./laws/timers.ts"
import { transfer } from "./laws/transfer.ts"
import { twins } from "./laws/twins.ts"
import { unseen } from "./laws/unseen.ts"
import { values } from "./laws/values.ts"
import { histories } from "./model/histories.ts"

/** The laws that every backend keeps. */
export const contract: ReadonlyArray<LawSet> = [
  values,
  transfer,
  portability,
  errors,
  settling,
  attempts,
  retries,
  running,
  clocks,
  timers,
  stopping,
  reasons,
  polling,
  order,
  priorities,
  backpressure,
  futures,
  identity,
  unseen,
  many,
  map,
  mapBounds,
  mapEnding,
  mapFailures,
  mapFamily,
  streams,
  progress,
  events,
  metrics,
  spans,
  effects,
  twins,
  services,
  scopes,
  options,
  recycling,
  control,
  interactive,
  contexts,
  callbacks,
  output,
  ending,
  exits,
  crashes,
  nested,
  histories
]
