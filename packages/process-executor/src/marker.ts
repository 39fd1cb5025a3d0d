/**
 * A number that a child leaves behind, readable after its death however sudden: one small write to a file that both have open and that has no name.
 */

// `import` would read every property of it, and so load streams, promises and `readline` into each child: 1 ms.
const { closeSync, readSync, writeSync } = process.getBuiltinModule("node:fs")

/** The descriptor of the file in the child. */
const MARKER = 5

/** A mark is one double. */
export const MARK_BYTES = 8

/** The parent's side. */
export interface Marker {
  readonly fd: number
  /** The number that was left last, 0 before. */
  readonly read: () => number
  readonly close: () => void
}

/** Takes the file over. `undefined` where there is none: calls are then handed over one at a time. */
export const markerIn = (fd: number | undefined): Marker | undefined => {
  if (fd === undefined) return undefined
  const value = new Float64Array(1)
  return {
    fd,
    read: () => {
      readSync(fd, value, 0, value.byteLength, 0)
      return value[0]!
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
