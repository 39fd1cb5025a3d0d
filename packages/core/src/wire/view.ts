import { isSharedArrayBuffer } from "node:util/types"
import { Refusal } from "./Refusal.ts"

type ViewConstructor = new(buffer: ArrayBufferLike, byteOffset?: number, length?: number) => ArrayBufferView
type CopyConstructor = new(source: ArrayBufferView) => ArrayBufferView

/** Every kind of view. The position in this list is its number on the process wire: append, never reorder. */
export const viewNames = [
  "DataView",
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
  "Float16Array"
]

/** By name, as far as this Node has them (`Float16Array` came with 24). */
export const viewConstructors = new Map<string, ViewConstructor>(
  viewNames.flatMap((name) => name in globalThis ? [[name, (globalThis as never)[name] as ViewConstructor]] : [])
)

const getter = <A>(prototype: object, key: string | symbol) => {
  const { get } = Object.getOwnPropertyDescriptor(prototype, key) as { get: () => A }
  return (source: object): A => get.call(source)
}
const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object
const typedArrayName = getter<string | undefined>(typedArray, Symbol.toStringTag)
const typedArrayBuffer = getter<ArrayBufferLike>(typedArray, "buffer")
const dataViewBuffer = getter<ArrayBufferLike>(DataView.prototype, "buffer")
const dataViewOffset = getter<number>(DataView.prototype, "byteOffset")
const dataViewLength = getter<number>(DataView.prototype, "byteLength")
const isResizable = getter<boolean>(ArrayBuffer.prototype, "resizable")
const sliceBuffer = ArrayBuffer.prototype.slice

/** The built-in type of a view, whatever class its user gave it: `Uint8Array` for a `Buffer`. */
export const viewName = (view: ArrayBufferView): string => typedArrayName(view) ?? "DataView"

export const bufferOf = (view: ArrayBufferView): ArrayBufferLike =>
  typedArrayName(view) === undefined ? dataViewBuffer(view) : typedArrayBuffer(view)

/** The bytes that a view shows, in a buffer of their own. */
export const copyView = (view: ArrayBufferView): ArrayBufferView => {
  try {
    const name = typedArrayName(view)
    if (name !== undefined) return new (viewConstructors.get(name) as unknown as CopyConstructor)(view)
    const offset = dataViewOffset(view)
    return new DataView(sliceBuffer.call(dataViewBuffer(view) as ArrayBuffer, offset, offset + dataViewLength(view)))
  } catch (error) {
    throw unreadable(error)
  }
}

export const copyBuffer = (buffer: ArrayBuffer): ArrayBuffer => {
  try {
    // Two kinds need `structuredClone`, which is slower: `slice` forgets the limit of a resizable buffer, and asks a
    // subclass for a species.
    const isOrdinary = Object.getPrototypeOf(buffer) === ArrayBuffer.prototype && !isResizable(buffer)
    return isOrdinary ? sliceBuffer.call(buffer, 0) : structuredClone(buffer)
  } catch (error) {
    throw unreadable(error)
  }
}

export const isShared = (buffer: ArrayBufferLike): buffer is SharedArrayBuffer => isSharedArrayBuffer(buffer)

// A view on a buffer that was detached or has shrunk refuses with a TypeError, a buffer too large for the memory with a
// RangeError.
const unreadable = (error: unknown): Refusal =>
  error instanceof RangeError ? Refusal.of(error) : new Refusal("detached ArrayBuffer")
