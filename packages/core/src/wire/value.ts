/**
 * The value codec: what a call hands over, and what it returns, is copied and checked once, by one walk, at the moment
 * it is handed over. What comes out is deeply equal to `structuredClone(value)`, on every backend, and holds nothing
 * that would be lost on the way.
 */
import type { PortableSide } from "../ExecutorError.ts"
import { Refusal } from "./Refusal.ts"
import { Walk } from "./Walk.ts"

/** What differs between backends: threads and inline share memory, processes and machines do not. */
export interface CaptureMode {
  /** Whether `SharedArrayBuffer` and the like arrive as themselves. */
  readonly sharesMemory: boolean
}

/**
 * Replaces each argument by a captured copy, in the array that is given: it must be ours, such as a fresh rest array.
 * One table of what was seen serves the whole tuple, so an object that two arguments share is shared by their copies.
 *
 * Where memory is shared, the objects listed in `transfer` are moved instead of copied, all or none: when anything is
 * refused, nothing has been detached. Elsewhere they are copied.
 *
 * @returns buffers that belong to the copies alone and may be transferred on with them, `undefined` if there are none
 * @throws NotPortableError with side `argument`, and a path that starts with `args`
 */
export const captureArgs = (
  args: unknown[],
  mode: CaptureMode,
  transfer?: ReadonlyArray<object>
): ArrayBuffer[] | undefined => {
  const moved = movable(mode, transfer)
  // Made for the first object only: most calls carry numbers and strings.
  let walk = moved === undefined ? undefined : new Walk(mode.sharesMemory, false, undefined, moved)
  for (let i = 0; i < args.length; i++) {
    const value = args[i]
    const type = typeof value
    if (type === "object" ? value === null : type !== "function" && type !== "symbol") continue
    walk ??= new Walk(mode.sharesMemory, false, undefined, undefined)
    try {
      args[i] = walk.value(value, 1)
    } catch (error) {
      throw Refusal.of(error).toError(`args[${i}]`, "argument")
    }
  }
  return moved === undefined ? walk?.transfers : move(args, moved, walk?.transfers, "argument")
}

/**
 * A captured copy of one value, such as a result. Buffers that may be transferred on with it are added to `transfers`.
 * What is listed in `transfer` is moved, as in `captureArgs`.
 *
 * @throws NotPortableError with a path that starts with `root`
 */
export const captureValue = (
  value: unknown,
  root: string,
  side: PortableSide,
  mode: CaptureMode,
  transfers: ArrayBuffer[],
  transfer?: ReadonlyArray<object>
): unknown => {
  const type = typeof value
  if (type === "object" ? value === null : type !== "function" && type !== "symbol") return value
  const moved = movable(mode, transfer)
  const walk = new Walk(mode.sharesMemory, false, moved === undefined ? transfers : undefined, moved)
  let copy: unknown
  try {
    copy = walk.value(value, 1)
  } catch (error) {
    throw Refusal.of(error).toError(root, side)
  }
  if (moved === undefined) return copy
  const values = [copy]
  for (const buffer of move(values, moved, walk.transfers, side)) transfers.push(buffer)
  return values[0]
}

/**
 * As `captureValue`, for what an error carries: never throws, what cannot travel becomes a short text such as
 * `[function callback]`.
 */
export const captureLenient = (value: unknown, mode: CaptureMode, transfers: ArrayBuffer[]): unknown =>
  lenientCapture(mode, transfers).capture(value)

/** Captures values as `captureLenient` does. */
export interface LenientCapture {
  readonly capture: (value: unknown) => unknown
  /** Values so far that could not be copied, so that a text stands in their place. */
  readonly refusals: () => number
}

/**
 * `captureLenient` for several values, such as the fields of errors: an object that several of them share is walked once, and one limit counts for all.
 */
export const lenientCapture = (mode: CaptureMode, transfers: ArrayBuffer[]): LenientCapture => {
  const walk = new Walk(mode.sharesMemory, true, transfers, undefined)
  const capture = (value: unknown): unknown => {
    try {
      return walk.value(value, 1)
    } catch (error) {
      const refusal = Refusal.of(error)
      walk.refused(refusal)
      return `[${refusal.value}]`
    }
  }
  return { capture, refusals: () => walk.refusals }
}

const movable = ({ sharesMemory }: CaptureMode, transfer?: ReadonlyArray<object>): ReadonlyArray<object> | undefined =>
  sharesMemory && transfer !== undefined && transfer.length > 0 ? transfer : undefined

// The walk left what is to be moved in its place. Only a single `structuredClone` moves all or nothing.
const move = (
  values: unknown[],
  moved: ReadonlyArray<object>,
  copied: ArrayBuffer[] | undefined,
  side: PortableSide
): ArrayBuffer[] => {
  const transfer = copied === undefined ? [...moved] : [...moved, ...copied]
  try {
    const arrived = structuredClone({ values, transfer }, { transfer: transfer as ArrayBuffer[] })
    for (let i = 0; i < values.length; i++) values[i] = arrived.values[i]
    return arrived.transfer as ArrayBuffer[]
  } catch (error) {
    throw new Refusal("object that cannot be transferred", undefined, { error }).toError("transfer", side)
  }
}
