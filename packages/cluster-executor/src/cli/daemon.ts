/** `futures-cluster start --daemon`: the same command once more, in the background, with a file for what it prints. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs"
import { dirname } from "node:path"
import { connectionPath } from "../broker/connectionFile.ts"
import { CommandError, outputOf } from "./output.ts"

/** Starts it and waits until the cluster runs. What it says is kept beside the connection file. */
export const startDaemon = async (connection: string | undefined, json: boolean): Promise<void> => {
  const path = connection ?? connectionPath()
  const log = `${path.replace(/\.json$/, "")}.log`
  mkdirSync(dirname(log), { recursive: true, mode: 0o700 })
  const file = openSync(log, "w", 0o600)
  const [program, ...args] = process.argv.slice(1)
  const child = spawn(process.execPath, [...process.execArgv, program!, ...args.filter((arg) => arg !== "--daemon")], {
    // A session of its own: closing the terminal does not end it.
    detached: true,
    stdio: ["ignore", file, file, "ipc"]
  })
  closeSync(file)
  const [word] = await Promise.race([once(child, "message"), once(child, "exit")])
  const said = readFileSync(log, "utf8").trimEnd()
  if (word !== "started") throw new CommandError(said.replace(/^futures-cluster: /, ""))
  child.disconnect()
  child.unref()
  outputOf(json).tell("started", `${said}\nin the background as process ${child.pid}, which writes to ${log}`, {
    pid: child.pid,
    connection: path,
    log
  })
}
