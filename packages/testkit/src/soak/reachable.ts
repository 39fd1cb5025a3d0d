/** What a garbage collection leaves. */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

let gc: (() => void) | undefined

/** Collects everything that nobody can reach, now. */
export const collect = (): void => {
  if (gc === undefined) {
    setFlagsFromString("--expose-gc")
    gc = runInNewContext("gc") as () => void
  }
  gc()
}

/** So many collections, each in a turn of its own, find whatever there is to find. */
const COLLECTIONS = 20

/** How many of the objects can still be reached after some collections: 0 as soon as there is none. */
export const reachable = async (refs: ReadonlyArray<WeakRef<object>>): Promise<number> => {
  for (let collection = 0; collection < COLLECTIONS; collection++) {
    // A weak reference holds what it was asked for until its turn is over.
    await new Promise((resolve) => setImmediate(resolve))
    collect()
    if (refs.every((ref) => ref.deref() === undefined)) return 0
  }
  return refs.filter((ref) => ref.deref() !== undefined).length
}
