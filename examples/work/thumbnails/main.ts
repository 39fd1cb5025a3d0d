// Makes a thumbnail of every JPEG in a folder, on all cores, whatever the number of photos: they are read as workers take them.
//
//   node examples/work/thumbnails/main.ts ~/Pictures /tmp/thumbnails

import { Executor } from "@futures/core"
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { backend, backends } from "../../backends.ts"
import { thumbnail } from "./tasks.ts"
import type { Photo } from "./tasks.ts"

const [from, to] = process.argv.slice(2)
if (from === undefined || to === undefined) throw new Error("Say where the photos are, and where the thumbnails go")

const names = (await readdir(from)).filter((name) => /\.jpe?g$/i.test(name)).toSorted()

async function* photos(): AsyncGenerator<Photo> {
  for (const name of names) yield { name, bytes: await readFile(join(from!, name)) }
}

await mkdir(to, { recursive: true })
await using executor = Executor.open(backends, { backend })

// At most sixteen photos are in memory. One that is no JPEG is named, and the others go on.
let next = 0
for await (const outcome of executor.mapSettled(thumbnail, photos(), { bufferSize: 16 })) {
  const name = names[next++]!
  if (outcome.status === "rejected") console.log(`${name}: ${outcome.reason.message}`)
  else {
    await writeFile(join(to, name), outcome.value.bytes)
    console.log(`${name}: ${outcome.value.bytes.length} bytes`)
  }
}
