/** Files without a name: a parent and its child both have them open, and the system deletes them when both have closed them. */
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Where files may be created, in order of preference: the second is often writable where the disk is read-only or full (containers). */
const directories = (): ReadonlyArray<string> => [tmpdir(), "/dev/shm"]

/**
 * Opens a file that begins with `sizeBytes` zeros, so that writing there later needs no space on the disk.
 * Returns its descriptor; `undefined` where there can be no such file: no writable directory, a full disk, a file size limit of 0,
 * `--permission` without `--allow-fs-write`, Windows.
 */
export const openNameless = (sizeBytes: number): number | undefined => {
  if (process.platform === "win32") return undefined
  for (const directory of directories()) {
    const fd = openIn(directory, sizeBytes)
    if (fd !== undefined) return fd
  }
  return undefined
}

const openIn = (directory: string, sizeBytes: number): number | undefined => {
  let fd: number | undefined
  try {
    // Fails where the file exists already, so nobody can pass us a file of theirs.
    const path = join(directory, `futures-${process.pid}-${process.hrtime.bigint()}`)
    fd = openSync(path, "wx+", 0o600)
    unlinkSync(path)
    if (sizeBytes > 0 && writeSync(fd, new Uint8Array(sizeBytes), 0, sizeBytes, 0) < sizeBytes) throw new Error("full")
    return fd
  } catch {
    if (fd !== undefined) closeSync(fd)
    return undefined
  }
}
