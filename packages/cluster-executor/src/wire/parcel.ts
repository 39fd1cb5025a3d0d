/**
 * The header of a parcel: a frame of calls that an engine may hold in its memory and give back, without reading it.
 *
 * ```
 * ┌──────────┬─────────┬───────────────┬───────────────┬───────────────┬─────────────┬────────────────────┐
 * │ first, 8 │ last, 8 │ expectedMs, 8 │ patienceMs, 8 │ byteLength, 4 │ isAhead, 1  │ bytes of the frame │
 * └──────────┴─────────┴───────────────┴───────────────┴───────────────┴─────────────┴────────────────────┘
 * ```
 *
 * Numbers are little-endian. Bytes that do not fit into one message follow as `Bytes`.
 */
import type { SentCalls } from "@futures/core/Backend"

export interface ParcelHeader extends SentCalls {
  /** Beyond the expected run time of what is in front of it, the calls may wait this long for their start (ms). */
  readonly patienceMs: number
  /** Length of the frame. */
  readonly byteLength: number
}

export const PARCEL_HEADER = 37
/** A frame is this long, at most: 1 GiB. */
const LONGEST = 2 ** 30
/** The longest patience (ms). */
const MOST_PATIENCE_MS = 60_000

/** `bytes`: as much of the frame as goes along. */
export const parcelOf = (header: ParcelHeader, bytes: Uint8Array): Uint8Array => {
  const parcel = Buffer.allocUnsafe(PARCEL_HEADER + bytes.length)
  parcel.writeDoubleLE(header.first, 0)
  parcel.writeDoubleLE(header.last, 8)
  parcel.writeDoubleLE(header.expectedMs, 16)
  parcel.writeDoubleLE(header.patienceMs, 24)
  parcel.writeUInt32LE(header.byteLength, 32)
  parcel[36] = header.isAhead ? 1 : 0
  parcel.set(bytes, PARCEL_HEADER)
  return parcel
}

/** Numbers as a payload: 8 bytes each, big-endian. */
export const numbersOf = (...numbers: ReadonlyArray<number>): Uint8Array => {
  const view = new DataView(new ArrayBuffer(8 * numbers.length))
  for (const [index, number] of numbers.entries()) view.setFloat64(8 * index, number)
  return new Uint8Array(view.buffer)
}

/** The numbers in a payload; bytes that are no whole number of them are left out. */
export const numbersIn = (payload: Uint8Array): Array<number> => {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  return Array.from({ length: Math.floor(payload.byteLength / 8) }, (_, index) => view.getFloat64(8 * index))
}

/** `undefined` for a header with values that no client writes. */
export const headerOf = (parcel: Uint8Array): ParcelHeader | undefined => {
  if (parcel.length < PARCEL_HEADER) return undefined
  const view = new DataView(parcel.buffer, parcel.byteOffset, parcel.byteLength)
  const [first, last] = [view.getFloat64(0, true), view.getFloat64(8, true)]
  const [expectedMs, patienceMs] = [view.getFloat64(16, true), view.getFloat64(24, true)]
  const byteLength = view.getUint32(32, true)
  const isRange = Number.isSafeInteger(first) && Number.isSafeInteger(last) && first >= 0 && first <= last
  const isTime = expectedMs >= 0 && expectedMs < Infinity && patienceMs >= 0 && patienceMs <= MOST_PATIENCE_MS
  const isLength = byteLength > 0 && byteLength <= LONGEST && byteLength >= parcel.length - PARCEL_HEADER
  if (!isRange || !isTime || !isLength) return undefined
  return { first, last, expectedMs, patienceMs, byteLength, isAhead: view.getUint8(36) === 1 }
}
