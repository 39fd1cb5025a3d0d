/**
 * A registry for the scope `@futures` alone, on this machine, so that projects install our packages by their names, as strangers will. All other
 * packages come from wherever this machine gets them.
 */
import { createHash } from "node:crypto"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { basename } from "node:path"
import type { Packed } from "./pack.ts"

export interface Registry {
  readonly url: string
  readonly close: () => void
}

export const openRegistry = async (packages: ReadonlyArray<Packed>): Promise<Registry> => {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url!.slice(1))
    const tarball = packages.find(({ file }) => path === basename(file))
    if (tarball !== undefined) {
      response.end(readFileSync(tarball.file))
      return
    }
    const found = packages.find(({ name }) => path === name)
    response.statusCode = found === undefined ? 404 : 200
    response.setHeader("content-type", "application/json")
    response.end(JSON.stringify(found === undefined ? { error: "not found" } : document(found, url)))
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return {
    url,
    close: () => {
      server.closeAllConnections()
      server.close()
    }
  }
}

/** What a registry says of a package. */
const document = ({ file, manifest, name, version }: Packed, url: string) => {
  const bytes = readFileSync(file)
  const dist = {
    tarball: url + basename(file),
    integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}`,
    shasum: createHash("sha1").update(bytes).digest("hex")
  }
  // Long ago: package managers mistrust what is new.
  const time = "2020-01-01T00:00:00.000Z"
  return {
    name,
    "dist-tags": { latest: version },
    time: { created: time, modified: time, [version]: time },
    versions: { [version]: { ...manifest, dist } }
  }
}
