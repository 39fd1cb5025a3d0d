/** Values behind their length in four bytes. */
import { deserialize, serialize } from "node:v8"

/** @param {unknown} value */
export const frame = (value) => {
  const body = serialize(value)
  const head = Buffer.allocUnsafe(4)
  head.writeUInt32LE(body.length)
  return Buffer.concat([head, body])
}

/** @param {(value: any) => void} take */
export const unframe = (take) => {
  /** @type {Array<Buffer>} */
  let chunks = []
  let length = 0
  return (/** @type {Buffer} */ chunk) => {
    chunks.push(chunk)
    length += chunk.length
    while (length >= 4) {
      if (chunks[0].length < 4) chunks = [Buffer.concat(chunks)]
      const end = chunks[0].readUInt32LE() + 4
      if (length < end) return
      const whole = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
      chunks = whole.length > end ? [whole.subarray(end)] : []
      length -= end
      take(deserialize(whole.subarray(4, end)))
    }
  }
}
