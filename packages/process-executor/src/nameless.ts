/** Files without a name: a parent and its child both have them open, and they are gone with the last of both. */
import { openSync, unlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A descriptor; `undefined` where such a file cannot be had (a read-only disk, Windows). */
export const openNameless = (): number | undefined => {
  if (process.platform === "win32") return undefined
  try {
    // Whoever knew the name could only take it away: a file that is there already is not opened.
    const path = join(tmpdir(), `futures-${process.pid}-${process.hrtime.bigint()}`)
    const fd = openSync(path, "wx+", 0o600)
    unlinkSync(path)
    return fd
  } catch {
    return undefined
  }
}
