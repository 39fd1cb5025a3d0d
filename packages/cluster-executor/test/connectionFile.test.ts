/** The file that says how to reach a cluster. */
import { fc, it } from "@fast-check/vitest"
import { readConnection, writeConnection } from "@futures/cluster-executor"
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, describe, expect } from "vitest"
import { connectionPath, removeConnection } from "../src/broker/connectionFile.ts"

const folder = mkdtempSync(join(tmpdir(), "futures-connection-"))
afterAll(() => rmSync(folder, { recursive: true }))

const connections = fc.record({
  servers: fc.array(fc.string({ minLength: 1 }), { minLength: 1 }),
  credentials: fc.record({ token: fc.string(), user: fc.string(), tls: fc.record({ caFile: fc.string() }) }, {
    requiredKeys: []
  }),
  namespace: fc.stringMatching(/^[\w-]{1,64}$/)
})

describe("The connection file", () => {
  it.prop([connections])("is read as it was written", (connection) => {
    const path = writeConnection(connection, join(folder, "round", "trip.json"))
    expect(readConnection(path)).toEqual({ ...connection, launcher: undefined })
  })

  const one = { servers: ["127.0.0.1:4222"], credentials: { token: "secret" }, namespace: "default" }

  it("is for its owner alone, also where one lay that all could read, and leaves no draft", () => {
    const path = join(folder, "mode", "cluster.json")
    writeConnection(one, path)
    chmodSync(path, 0o666)
    writeConnection(one, path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
    expect(readdirSync(dirname(path))).toEqual(["cluster.json"])
  })

  it("is where FUTURES_CLUSTER says, or in the user's folder for running programs, or for their state", () => {
    const env = { FUTURES_CLUSTER: "/a/b.json", XDG_RUNTIME_DIR: "/run/user/1", XDG_STATE_HOME: "/state" }
    expect(connectionPath(env)).toBe("/a/b.json")
    expect(connectionPath({ ...env, FUTURES_CLUSTER: "" })).toBe("/run/user/1/futures/cluster.json")
    expect(connectionPath({ XDG_STATE_HOME: "/state" })).toBe("/state/futures/cluster.json")
    expect(connectionPath({})).toMatch(/\/\.local\/state\/futures\/cluster\.json$/)
  })

  it("may be missing", () => {
    expect(readConnection(join(folder, "nowhere.json"))).toBeUndefined()
  })

  it("that does not describe a cluster is an error that names it", () => {
    const path = join(folder, "bad.json")
    for (const text of ["", "{", "null", "[]", "{}", `{"servers":[]}`, `{"servers":[1]}`, `{"servers":"a"}`]) {
      writeFileSync(path, text)
      expect(() => readConnection(path)).toThrow(
        expect.objectContaining({ _tag: "BrokerError", reason: "connection-file" })
      )
      expect(() => readConnection(path)).toThrow(path)
    }
    expect(() => readConnection(folder)).toThrow(folder)
  })

  it("may be written by hand: no credentials are none, no namespace is the default one", () => {
    const path = join(folder, "hand.json")
    writeFileSync(path, `{"servers":["nats:4222"]}`)
    expect(readConnection(path)).toEqual({ servers: ["nats:4222"], credentials: {}, namespace: "default" })
  })

  it("is taken away by who wrote it, and by nobody else", () => {
    const path = join(folder, "mine.json")
    const launcher = { pid: process.pid, host: "here", born: "" }
    writeConnection({ ...one, launcher }, path)
    removeConnection({ ...launcher, pid: launcher.pid + 1 }, path)
    expect(readConnection(path)).toEqual({ ...one, launcher })
    removeConnection(launcher, path)
    expect(readConnection(path)).toBeUndefined()
    removeConnection(launcher, path)
  })
})
