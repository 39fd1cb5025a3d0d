/**
 * What a child and its parent tell each other when no frame would be read: by small writes to a file that both have open and that has no name.
 *
 * ```
 * ┌─────────┬──────────┬──────────────────────────────┐
 * │ mark, 8 │ stops, 8 │ the latest stops, 8 each     │   doubles
 * └─────────┴──────────┴──────────────────────────────┘
 * ```
 *
 * The child writes the mark: a number that it leaves behind, readable after its death however sudden. The parent writes the rest: the wire ids of calls
 * that are to stop, in a ring, and how many there were so far. Each number is written at once.
 */

// `import` would read every property of it, and so load streams, promises and `readline` into each child: 1 ms.
const { closeSync, readSync, writeSync } = process.getBuiltinModule("node:fs")
// As it is at the start: a task may replace it.
const { performance } = globalThis

/** The descriptor of the file in the child. */
const MARKER = 5

const COUNT_AT = 8
const STOPS_AT = 16
/** The whole file: one page. */
export const MARKER_BYTES = 4096
/** Requests that a child can see at a time. It sees all of those that came since it was last asked, unless they were more. */
const STOPS = (MARKER_BYTES - STOPS_AT) / 8
/** How old what a child knows of requests may be (ms): a loop may ask in every step, and a look costs a call of the system. */
const LOOK_EVERY_MS = 1

/** The parent's side. */
export interface Marker {
  readonly fd: number
  /** The number that was left last, 0 before. */
  readonly read: () => number
  /** Tells the child, while it reads nothing else, that a call is to stop. */
  readonly requestStop: (wireId: number) => void
  readonly close: () => void
}

/** Takes the file over. `undefined` where there is none: calls are then handed over one at a time. */
export const markerIn = (fd: number | undefined): Marker | undefined => {
  if (fd === undefined) return undefined
  const value = new Float64Array(1)
  let stops = 0
  const write = (number: number, at: number): void => {
    value[0] = number
    writeSync(fd, value, 0, value.byteLength, at)
  }
  return {
    fd,
    read: () => {
      readSync(fd, value, 0, value.byteLength, 0)
      return value[0]!
    },
    requestStop: (wireId) => {
      write(wireId, STOPS_AT + (stops % STOPS) * 8)
      write(++stops, COUNT_AT)
    },
    close: () => closeSync(fd)
  }
}

const left = new Float64Array(1)

/** The child's side. Only for a child that was started with such a file: descriptor 5 is anything else otherwise. */
export const mark = (number: number): void => {
  left[0] = number
  writeSync(MARKER, left, 0, left.byteLength, 0)
}

const count = new Float64Array(1)
let lookedAt = -Infinity
let known = 0
/** Calls that are to stop. */
let stopping: ReadonlySet<number> | undefined

/** Whether the parent has asked a call to stop, as it was a millisecond ago or later. Only with such a file, as `mark`. */
export const stopRequested = (wireId: number): boolean => {
  const now = performance.now()
  if (now - lookedAt >= LOOK_EVERY_MS) {
    lookedAt = now
    look()
  }
  return stopping?.has(wireId) === true
}

const look = (): void => {
  readSync(MARKER, count, 0, count.byteLength, COUNT_AT)
  if (count[0] === known) return
  known = count[0]!
  const stops = new Float64Array(STOPS)
  readSync(MARKER, stops, 0, stops.byteLength, STOPS_AT)
  stopping = new Set(stops)
}
