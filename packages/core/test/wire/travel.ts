/** How an error arrives, over memory and over bytes. */
import { encodeFrame, FrameReader } from "../../src/wire/bytes.ts"
import { decodeError, encodeError, type ErrorRecord } from "../../src/wire/error.ts"

type Classes = ReadonlyArray<unknown>

const crossed = (record: ErrorRecord): ErrorRecord => {
  let arrived: ErrorRecord | undefined
  const reader = new FrameReader(
    (frame) => {
      arrived = (frame as [ErrorRecord])[0]
    },
    (error) => {
      throw error
    }
  )
  reader.push(encodeFrame([record]))
  return arrived!
}

/** What arrives over memory and over bytes. */
const travel = (thrown: unknown, classes: Classes = []): [unknown, unknown] => [
  decodeError(structuredClone(encodeError(thrown, { sharesMemory: true }, classes)), classes),
  decodeError(crossed(encodeError(thrown, { sharesMemory: false }, classes)), classes)
]

export const caught = (body: () => unknown): unknown => {
  try {
    return body()
  } catch (error) {
    return error
  }
}

// What errors are in other tests' eyes: any, because that is what they are when they were caught.
export const each = (thrown: unknown, check: (arrived: any) => void, classes: Classes = []): void => {
  for (const arrived of travel(thrown, classes)) check(arrived)
}
