/** Sizes in words. */
import { fc } from "@fast-check/vitest"
import { InvalidOptionError } from "@futures/core"
import { toBytes } from "@futures/core/Backend"
import type { ByteSizeInput } from "@futures/core/Backend"
import { expect, test } from "vitest"

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

test("A number and a unit are that many bytes, however they are written", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 4_000 }),
    fc.constantFrom(...Object.keys(units) as Array<keyof typeof units>),
    fc.constantFrom("", " ", "  "),
    fc.constantFrom("toLowerCase", "toUpperCase", "toString"),
    (number, unit, space, cased) => {
      const text = `${number}${space}${unit[cased as "toLowerCase"]()}` as ByteSizeInput
      expect(toBytes(text, "size")).toBe(number * units[unit])
      expect(toBytes(number, "size")).toBe(number)
    }
  ))
})

test.for([0, -1, 1.5, NaN, Infinity, null, "", "4", "MiB", "4 M", "4 Mib/s", "-4 MiB", "1e3 B", "0 B", true, {}, [4]])(
  "%j is no size",
  (input) => {
    expect(() => toBytes(input as never, "size")).toThrow(InvalidOptionError)
  }
)

test("Limits are in the message", () => {
  expect(() => toBytes("1 KiB", "memoryLimit", 2 ** 20)).toThrow(/at least 1048576 \(1 MiB\)/)
  expect(() => toBytes("1 GiB", "maxPayload", 1, 2 ** 26)).toThrow(/at most 67108864 bytes/)
})
