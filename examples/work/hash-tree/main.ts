// Hashes every file below a folder, with a progress bar: `sha256sum`, on all cores.
//
//   node examples/work/hash-tree/main.ts packages > SHA256SUMS && sha256sum --check --quiet SHA256SUMS

import { Executor } from "@futures/core"
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { backend, backends } from "../../backends.ts"
import { progressBar } from "../progress.ts"
import { sha256 } from "./tasks.ts"

const folder = process.argv[2] ?? "."
const entries = await readdir(folder, { recursive: true, withFileTypes: true })
const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).toSorted()

await using executor = Executor.open(backends, { backend })

const lines: Array<string> = []
{
  using bar = progressBar("files")
  // Digests come in the order of the files, whichever is done first. A file that cannot be read does not end it.
  let next = 0
  for await (const digest of executor.mapSettled(sha256, files, { onProgress: bar.onProgress })) {
    const file = files[next++]!
    if (digest.status === "fulfilled") lines.push(`${digest.value}  ${file}`)
    else {
      console.error(`${file}: ${digest.reason.message}`)
      process.exitCode = 1
    }
  }
}
console.log(lines.join("\n"))
