/** The worker's side of a fault: what goes wrong, wherever it is called. */

export type FaultName =
  | "throws"
  | "exits with 0"
  | "exits with 3"
  | "aborts"
  | "crashes"
  | "is killed"
  | "runs out of memory"
  | "hangs"

/** Never returns. `where` is what an error says of the place. */
export const commit = (fault: FaultName, where: string): never => {
  switch (fault) {
    case "throws":
      throw new RangeError(`thrown while ${where}`)
    case "exits with 0":
      return process.exit(0)
    case "exits with 3":
      return process.exit(3)
    case "aborts":
      return process.abort()
    case "crashes":
      return die("SIGSEGV")
    case "is killed":
      return die("SIGKILL")
    case "runs out of memory":
      return hoard()
    case "hangs":
      return spin()
  }
}

const die = (signal: NodeJS.Signals): never => {
  process.kill(process.pid, signal)
  return spin()
}

/** Small objects alone: a thread that fails to get a large one may end the whole process. */
const hoard = (): never => {
  let kept: unknown
  for (;;) kept = { kept }
}

/** Empty, so that it can be ended also on a thread. */
const spin = (): never => {
  for (;;);
}
