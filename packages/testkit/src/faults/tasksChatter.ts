/** Tasks of programs whose end is looked at. */
import { Task } from "@futures/core"
import type { Executor } from "@futures/core"
import { setTimeout } from "node:timers/promises"

export const { chatter, directory, importedWorkers, loadedByFlags, reportProcess, slowly, throwing, variable } = Task
  .module(
    import.meta,
    {
      /** Writes so many lines, to stdout and to stderr in turn, and may end its worker right after the last. */
      chatter: (lines: number, exits: boolean): void => {
        for (let line = 0; line < lines; line++) {
          if (line % 2 === 0) process.stdout.write(`out ${line}\n`)
          else process.stderr.write(`err ${line}\n`)
        }
        if (exits) process.exit(0)
      },
      directory: (): string => process.cwd(),
      /** How many workers the executor has that a module of `--import` created in this worker. */
      importedWorkers: (): number =>
        (globalThis as unknown as { readonly importedPool: Executor }).importedPool.stats().workers,
      /** What modules of `--require` and `--import` noted as they were loaded. */
      loadedByFlags: (): string => (globalThis as unknown as { readonly loaded: ReadonlyArray<string> }).loaded.join(),
      /** Reports the process that it runs in, and goes on for a while. */
      reportProcess: async (): Promise<string> => {
        Task.current()!.progress(process.pid)
        await setTimeout(100)
        return "finished"
      },
      slowly: (word: string, millis = 50): Promise<string> => setTimeout(millis, word),
      throwing: (): never => {
        throw new RangeError("nobody looks")
      },
      variable: (name: string): string | undefined => process.env[name]
    }
  )
