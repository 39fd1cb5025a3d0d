import { Task } from "@futures/core"
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { pipeline } from "node:stream/promises"

export const { sha256 } = Task.module(import.meta, {
  /** The digest of a file, in hexadecimal. The file is read piece by piece, however large it is. */
  sha256: async (path: string): Promise<string> => {
    const hash = createHash("sha256")
    await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash)
    return hash.digest("hex")
  }
})
