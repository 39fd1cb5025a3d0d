/** How far a run is, on stderr: a line that is rewritten on a terminal, a line a step elsewhere. */

export interface Progress {
  readonly step: (...what: ReadonlyArray<string>) => void
  /** So many steps are left out. */
  readonly skip: (steps: number) => void
  readonly end: () => void
}

const WIDTH = 24

export const progress = (steps: number, stream: NodeJS.WriteStream = process.stderr): Progress => {
  const start = performance.now()
  let done = -1
  return {
    step: (...what) => {
      done++
      const filled = Math.round(done / steps * WIDTH)
      const left = done === 0 ? "" : `, ${Math.ceil((performance.now() - start) / done * (steps - done) / 1000)} s left`
      const bar = `${"█".repeat(filled)}${"░".repeat(WIDTH - filled)} ${done}/${steps}${left}  ${what.join(", ")}`
      stream.write(stream.isTTY ? `\r\x1b[K${bar.slice(0, (stream.columns || 80) - 1)}` : `${bar}\n`)
    },
    skip: (count) => {
      done += count
    },
    end: () => {
      if (stream.isTTY) stream.write("\r\x1b[K")
    }
  }
}
