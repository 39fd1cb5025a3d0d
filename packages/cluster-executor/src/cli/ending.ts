/** How a command that stays learns that it is to end. */

/**
 * Answers with the first SIGTERM or SIGINT; whoever waits for it then ends in good order. A second one ends this process with the exit code that shells give
 * it, and what it started goes with it: at once, or after `last`, which must not take long. A third one does not wait for that.
 */
export const askedToEnd = (last: () => Promise<unknown> = () => Promise.resolve()): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    let asked = 0
    for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
      process.on(signal, () => {
        asked++
        if (asked === 1) resolve(signal)
        else if (asked === 2) void last().finally(() => process.exit(code))
        else process.exit(code)
      })
    }
  })
