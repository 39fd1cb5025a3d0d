/**
 * A soak: rounds of random calls, crashes and stops, until the time is over.
 *
 * One executor lives through all rounds, so that what leaks with calls is seen; beside it each round has one of its own, so that what leaks with
 * executors is seen too, and every option is tried. A round ends with everything settled and looked at.
 */
import type { ExecutorClass } from "@futures/core"
import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Capability } from "../Subject.ts"
import type { Censor } from "./census.ts"
import { Ledger } from "./Ledger.ts"
import { sample, trendOf } from "./memory.ts"
import type { Sample } from "./memory.ts"
import { roundOf } from "./plan.ts"
import { Soaked } from "./Soaked.ts"

/** What came of it. */
export interface Found {
  readonly well: boolean
  readonly lines: ReadonlyArray<string>
}

/** A round that has not ended by then, in milliseconds, never will. */
const ROUND_LIMIT = 60_000

const resident = { maxWorkers: 2, minWorkers: 1, concurrency: 2, maxTasksPerWorker: 1_000, idleTimeout: 20, grace: 50 }

export const soakFor = async (
  Class: ExecutorClass,
  abilities: ReadonlyArray<Capability>,
  millis: number,
  firstSeed: number,
  censor: Censor
): Promise<Found> => {
  const ledger = new Ledger()
  const samples: Array<Sample> = []
  const directory = mkdtempSync(join(tmpdir(), "futures-soak-"))
  let seed = firstSeed
  try {
    // What is loaded and opened once, for good, is so when the census is taken.
    const first = new Soaked(Class, resident, ledger)
    await within(ROUND_LIMIT, round(Class, abilities, seed++, first, join(directory, "first"), ledger))
    await within(ROUND_LIMIT, first.end("shutdown"))
    const before = await censor.settled()
    const lasting = new Soaked(Class, resident, ledger)
    const until = performance.now() + millis
    do {
      await within(ROUND_LIMIT, round(Class, abilities, seed++, lasting, join(directory, `${seed}`), ledger))
      samples.push(await sample())
    } while (performance.now() < until)
    await within(ROUND_LIMIT, lasting.end("shutdown"))
    const left = await censor.left(before)
    const trend = trendOf(samples)
    const wrong = ledger.unsettled + ledger.twice + left.length > 0
    assert.equal(ledger.succeeded + ledger.failed + ledger.cancelled + ledger.unsettled, ledger.submitted)
    return {
      well: !wrong && !trend.grew,
      lines: [
        `seeds ${firstSeed} to ${seed - 1}`,
        ...ledger.describe(),
        left.length === 0
          ? "left: no child, thread, descriptor, listener, handle or timer"
          : `left: ${left.join("; ")}`,
        ...trend.lines
      ]
    }
  } catch (error) {
    const { stack } = error as Error
    return {
      well: false,
      lines: [...ledger.describe(), `Round of seed ${seed - 1} (FUTURES_SEED=${seed - 1} begins with it): ${stack}`]
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const round = async (
  Class: ExecutorClass,
  abilities: ReadonlyArray<Capability>,
  seed: number,
  lasting: Soaked,
  path: string,
  ledger: Ledger
): Promise<void> => {
  const { end, options, steps } = roundOf(seed, abilities)
  ledger.rounds++
  const own = new Soaked(Class, options, ledger)
  for (const { step, visitor } of steps) {
    await (visitor ? own : lasting).take(step, path)
  }
  await Promise.all([own.end(end), lasting.drain()])
  lasting.look()
  ranOnce(path)
}

/** No call ran twice, though workers died and calls moved. */
const ranOnce = (path: string): void => {
  let lines: Array<string>
  try {
    lines = readFileSync(path, "utf8").split("\n").slice(0, -1)
  } catch {
    // Nothing ran.
    return
  }
  rmSync(path)
  const seen = new Set<string>()
  for (const line of lines) {
    assert.ok(!seen.has(line), `${line} ran twice`)
    seen.add(line)
  }
}

const within = <A>(limit: number, promise: Promise<A>): Promise<A> => {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not over within ${limit} ms`)), limit)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
