/** Node arguments that a worker inherits: the parent's own that apply to it, and the export condition for workers. */

/** Arguments that belong to the parent alone, each with whether its value may be a separate argument. */
const parentsOwn: ReadonlyArray<readonly [pattern: RegExp, separateValue: boolean]> = [
  // Under `node -e` the argument holds the whole program: a worker would run it again.
  [/^(-e|--eval|-p|--print|-pe|--input-type)$/, true],
  [/^(--eval|--print|--input-type)=/, false],
  [/^(-c|--check|-i|--interactive)$/, false],
  [/^--(inspect|inspect-brk|inspect-wait|inspect-port|debug-port)(=|$)/, false],
  [/^--(test|watch)/, false]
]

/** Makes `@futures/core` resolve, inside workers, to an entry without engine and Effect. */
const workerCondition = "--conditions=futures-worker"

export const inheritedExecArgv = (): ReadonlyArray<string> => {
  const kept: Array<string> = []
  for (let at = 0; at < process.execArgv.length; at++) {
    const argument = process.execArgv[at]!
    const own = parentsOwn.find(([pattern]) => pattern.test(argument))
    if (own === undefined) kept.push(argument)
    else if (own[1]) at++
  }
  if (!kept.includes(workerCondition)) kept.push(workerCondition)
  return kept
}
