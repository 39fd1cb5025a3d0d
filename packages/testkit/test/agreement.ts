/** Whether all backends keep the same laws: after a whole run it says what each of them is excused from, and fails the run over any other difference. */
import type { Reporter, TestModule } from "vitest/node"

/** What became of the laws of the contract on one backend. */
export interface Kept {
  readonly backend: string
  readonly kept: ReadonlySet<string>
  /** Laws that a declared gap excuses from, and the gap. */
  readonly excused: ReadonlyMap<string, string>
}

/** The laws that some backend neither keeps nor is excused from, each with that backend. */
export const disagreements = (all: ReadonlyArray<Kept>): Array<string> => {
  const laws = new Set(all.flatMap(({ excused, kept }) => [...kept, ...excused.keys()]))
  return [...laws].flatMap((law) =>
    all.filter(({ excused, kept }) => !kept.has(law) && !excused.has(law)).map(({ backend }) => `${backend}: ${law}`)
  )
}

/** How `conformance` names a test that it skips. */
const gapTitle = /^(.*): a gap \(([^)]*)\), /

/** The laws of a test file that ran `conformance` whole; `undefined` for another, and when some laws were left out or broken. */
const keptIn = ({ children, relativeModuleId }: TestModule): Kept | undefined => {
  const backend = /^packages\/(?:(.*)-executor|core)\/test\/conformance\.test\.ts$/.exec(relativeModuleId)
  if (backend === null) return undefined
  const kept = new Set<string>()
  const excused = new Map<string, string>()
  for (const test of children.allTests()) {
    const gap = gapTitle.exec(test.name)
    if (gap !== null) excused.set(gap[1]!, gap[2]!)
    else if (test.result().state === "passed") kept.add(test.name)
    else return undefined
  }
  return { backend: backend[1] ?? "inline", kept, excused }
}

export const agreement: Reporter = {
  onTestRunEnd(modules) {
    const all = modules.map(keptIn).filter((each) => each !== undefined)
    if (all.length < 2) return
    console.info("\nLaws of the contract")
    for (const { backend, excused, kept } of all) {
      const gaps = Object.entries(Object.groupBy(excused.values(), (gap) => gap)).map(([gap, laws]) =>
        `${laws!.length} excused for want of ${gap}`
      )
      console.info(`  ${backend}: ${[`${kept.size} kept`, ...gaps].join(", ")}`)
    }
    const differences = disagreements(all)
    for (const each of differences) console.error(`  neither kept nor excused by ${each}`)
    if (differences.length > 0) process.exitCode = 1
  }
}
