/** Why no worker of an executor can start now, in words. */
import type { Engine } from "../registry.ts"
import type { Wishes } from "./Client.ts"

/** `undefined` when an engine fits: then its slots are taken. `engines`: those that were heard of last. */
export const whyNoEngine = (
  { engine, labels }: Pick<Wishes, "engine" | "labels">,
  engines: ReadonlyArray<Engine>,
  isConnected: boolean
): string | undefined => {
  if (!isConnected) return "the broker is away"
  if (engines.length === 0) return "the cluster has no engine"
  if (engine !== undefined) {
    return engines.some(({ id }) => id === engine) ? undefined : `the cluster has no engine ${engine}`
  }
  const wanted = Object.entries(labels)
  const fits = (each: Engine): boolean => wanted.every(([label, value]) => each.labels[label] === value)
  if (engines.some(fits)) return undefined
  const list = wanted.map(([label, value]) => `${label}=${value}`).join(", ")
  const count = engines.length === 1 ? "the one engine does not have" : `none of the ${engines.length} engines has`
  return `${count} the ${wanted.length === 1 ? "label" : "labels"} ${list}`
}
