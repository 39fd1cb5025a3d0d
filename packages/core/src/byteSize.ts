/** Sizes as people write them, as bytes. */
import { InvalidOptionError } from "./ExecutorError.ts"

/** Bytes of each unit: `KiB` is 1,024 bytes, `kB` is 1,000. */
const units = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40
} as const

/** What every size in bytes may be given as: a number of bytes, or such as `"512 MiB"`, `"1.5 GB"`. */
export type ByteSizeInput = number | `${number} ${keyof typeof units}` | `${number}${keyof typeof units}`

/** Below this a number was probably meant as MiB: no limit of memory is smaller. */
export const LEAST_MEMORY_BYTES = 2 ** 20

const bytesIn = new Map(Object.entries(units).map(([unit, bytes]) => [unit.toLowerCase(), bytes]))

const bytesOf = (input: unknown): number => {
  if (typeof input === "number") return input
  if (typeof input !== "string") return NaN
  const [, number, unit] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(input) ?? []
  const bytes = bytesIn.get(unit?.toLowerCase() ?? "")
  return bytes === undefined ? NaN : Math.round(Number(number) * bytes)
}

/** What a size must be, in words, for messages. `least`: in bytes. */
export const byteSizeExpected = (least: number, more = ""): string =>
  `a whole number of bytes of at least ${least}${
    least === LEAST_MEMORY_BYTES ? " (1 MiB)" : ""
  }, or such as "512 MiB"${more}`

/** Bytes, or `undefined` for what is no size, or less than `least` bytes. */
export const readByteSize = (input: unknown, least: number): number | undefined => {
  const bytes = bytesOf(input)
  return Number.isSafeInteger(bytes) && bytes >= least ? bytes : undefined
}

/** Bytes. Throws `InvalidOptionError`, naming `option`, for what is no size, or less than `least` bytes. */
export const toBytes = (input: ByteSizeInput, option: string, least = 1, most = Infinity): number => {
  const bytes = readByteSize(input, least)
  if (bytes !== undefined && bytes <= most) return bytes
  const limit = most === Infinity ? "" : `, at most ${most} bytes`
  throw new InvalidOptionError({ option, received: input, expected: byteSizeExpected(least, limit) })
}
