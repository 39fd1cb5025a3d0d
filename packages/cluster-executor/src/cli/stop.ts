/** `futures-cluster stop`: ends the cluster that this host holds together. */
import { rmSync } from "node:fs"
import { hostname } from "node:os"
import { connectionPath, readConnection } from "../broker/connectionFile.ts"
import { end, lives } from "./launcher.ts"
import { CommandError, outputOf } from "./output.ts"

export const stop = async (connection: string | undefined, json: boolean): Promise<void> => {
  const path = connection ?? connectionPath()
  const launcher = readConnection(path)?.launcher
  if (launcher === undefined) throw new CommandError(`No cluster that was started here is described in ${path}`)
  const { host, pid } = launcher
  if (host !== hostname()) {
    throw new CommandError(`The cluster described in ${path} was started on ${host}: stop it there`)
  }
  if (!lives(launcher)) {
    rmSync(path, { force: true })
    throw new CommandError(`The cluster described in ${path} has ended already (process ${pid}); the file is gone now`)
  }
  await end(launcher)
  outputOf(json).tell("stopped", `the cluster of process ${pid} has ended`, { pid })
}
