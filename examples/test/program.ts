/** Runs a program as a reader would: as a process of its own, to its end. */
import { spawn } from "node:child_process"
import { text } from "node:stream/consumers"

export interface Ended {
  readonly pid: number
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export const run = async (
  file: string,
  env: Readonly<Record<string, string | undefined>> = {},
  args: ReadonlyArray<string> = []
): Promise<Ended> => {
  const program = spawn(process.execPath, [file, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  const exitCode = new Promise<number | null>((resolve, reject) => program.on("error", reject).on("close", resolve))
  const [stdout, stderr] = await Promise.all([text(program.stdout), text(program.stderr)])
  return { pid: program.pid!, exitCode: await exitCode, stdout, stderr }
}

/** What was printed, line by line, with names for the ids that differ from run to run. */
export const printed = ({ pid, stdout }: Ended): Array<string> =>
  stdout.trimEnd().split("\n").map((line) =>
    line
      .replace(/process (\d+)/g, (_, id) => Number(id) === pid ? "process MAIN" : "process CHILD")
      .replace(/thread [1-9]\d*/g, "thread N")
  )
