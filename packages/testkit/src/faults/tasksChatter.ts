/** Tasks of programs whose end is looked at. */
import { Task } from "@futures/core"

export const { chatter, slowly, throwing } = Task.module(import.meta, {
  /** Writes so many lines, to stdout and to stderr in turn, and may end its worker right after the last. */
  chatter: (lines: number, exits: boolean): void => {
    for (let line = 0; line < lines; line++) {
      if (line % 2 === 0) process.stdout.write(`out ${line}\n`)
      else process.stderr.write(`err ${line}\n`)
    }
    if (exits) process.exit(0)
  },
  slowly: (word: string, millis = 50): Promise<string> =>
    new Promise((resolve) => setTimeout(() => resolve(word), millis)),
  throwing: (): never => {
    throw new RangeError("nobody looks")
  }
})
