/** How a command that stays learns that it is to end. */

/**
 * Answers with the first SIGTERM or SIGINT; whoever waits for it then ends in good order. A second one ends this process at once, with the exit code that
 * shells give it; what it started goes with it.
 */
export const askedToEnd = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    let asked = false
    for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
      process.on(signal, () => {
        if (asked) process.exit(code)
        asked = true
        resolve(signal)
      })
    }
  })
