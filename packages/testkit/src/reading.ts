/** What this process says to people while a law runs: heard by the law instead. */

/** Reads what is written to one of this process's streams meanwhile, instead of letting it through; the body may ask for what there is so far. */
export const readingOutput = async (
  stream: "stdout" | "stderr",
  body: (text: () => string) => Promise<void>
): Promise<string> => {
  let text = ""
  const target = process[stream]
  const { write } = target
  target.write = ((chunk: string | Uint8Array) => {
    text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString()
    return true
  }) as typeof write
  try {
    await body(() => text)
  } finally {
    target.write = write
  }
  return text
}

/** Hears the warnings of this process meanwhile; whoever else listens, such as Node, which would print them, hears none. */
export const hearingWarnings = async (body: () => Promise<void>): Promise<Array<Error>> => {
  const heard: Array<Error> = []
  const others = process.listeners("warning")
  const listener = (warning: Error): void => void heard.push(warning)
  process.removeAllListeners("warning").on("warning", listener)
  try {
    await body()
    // Warnings are told of in the next tick.
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off("warning", listener)
    for (const other of others) process.on("warning", other)
  }
  return heard
}
