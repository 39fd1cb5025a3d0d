import type { MapProgress } from "@futures/core"
import { Presets, SingleBar } from "cli-progress"

/** A bar on stderr that follows a `map`; a line now and then where stderr is no terminal. */
export const progressBar = (unit: string): Disposable & { readonly onProgress: (progress: MapProgress) => void } => {
  const format = `{bar} {percentage}% | {value}/{total} ${unit} | {failed} failed | {duration_formatted}`
  const bar = new SingleBar({ format, noTTYOutput: true, notTTYSchedule: 2_000 }, Presets.shades_classic)
  return {
    onProgress: ({ done, failed, pulled, total = pulled }) => {
      if (!bar.isActive) bar.start(total, done, { failed })
      bar.setTotal(total)
      bar.update(done, { failed })
    },
    [Symbol.dispose]: () => bar.stop()
  }
}
