/**
 * The condition grid: everything that programs meet outside of a laboratory, during every way to use an executor. One law a cell.
 *
 * In each cell every call has its own outcome and every run happens once, as if there were no condition. No cell looks at a clock.
 */
import { law, laws } from "../Law.ts"
import type { Law, LawSet } from "../Law.ts"
import type { Capability } from "../Subject.ts"
import type { Trial } from "../Trial.ts"
import { links, over } from "./links.ts"
import type { OpenLink } from "./links.ts"
import { operations } from "./operations.ts"
import type { Operation, OperationName } from "./operations.ts"
import { standstills } from "./standstills.ts"
import type { Ground } from "./standstills.ts"
import { valueCells } from "./values.ts"

/** The cells of a common run, by row; all others are tried in the deep run. */
const common: Readonly<Record<string, ReadonlyArray<OperationName>>> = {
  "The caller computes after a timer": ["submit"],
  "The caller computes after I/O": ["submit", "interrupt", "timeout", "retry"],
  "The caller computes in setImmediate": ["timeout", "stream"],
  "The caller computes after a result": ["timeout", "mapSettled"],
  "The caller is stopped and continued": ["timeout"],
  "A worker is stopped and continued": ["map"],
  "The engine is stopped and continued": ["submit"],
  "The broker is stopped and continued": ["timeout"],
  "All are stopped and continued": ["submit"],
  "The link takes 40 ms each way": ["submit", "map", "timeout"],
  "The link takes 10 to 30 ms each way": ["stream"],
  "The link of the engine takes 40 ms each way": ["submit", "timeout"]
}

/** Of these, the cells that a common run leaves out where a standstill takes seconds: others of their row or column stay. */
const leftOut: Readonly<Record<string, ReadonlyArray<OperationName>>> = {
  "The caller computes after a timer": ["submit"],
  "The caller computes after I/O": ["interrupt", "retry"],
  "The caller computes in setImmediate": ["timeout"],
  "The caller computes after a result": ["timeout"]
}

/** A standstill (ms) that is long for a common run. */
const LONG_MS = 2_000

const isCommon = (row: string, name: OperationName, standstill: number): boolean =>
  (common[row]?.includes(name) ?? false) && !(standstill > LONG_MS && (leftOut[row]?.includes(name) ?? false))

/** What each operation comes to, as the end of a sentence. */
const outcomes: Readonly<Record<OperationName, string>> = {
  submit: "submit: each call runs once, and its future has its value",
  map: "map: each item runs once, in order",
  mapSettled: "mapSettled: each item runs once, with its own outcome",
  stream: "stream: each item is made once and arrives, in order",
  interrupt: "interrupt: the task cleans up, and its worker goes on",
  timeout: "timeout: what ran in time succeeds, what did not fails",
  retry: "retry: only the attempt that failed is made again"
}

/** The promises that an operation is about, besides those about settling once. */
const promises: Readonly<Record<OperationName, ReadonlyArray<number>>> = {
  submit: [5, 6],
  map: [5, 12],
  mapSettled: [5, 12],
  stream: [5],
  interrupt: [7],
  timeout: [13],
  retry: [6]
}

/** How long a cell may take besides its standstill (ms). */
const LIMIT_MS = 25_000

/** How long a cell about large values may take (ms): it carries 320 MiB, perhaps through a broker. */
const VALUES_LIMIT_MS = 45_000

const cell = (
  row: string,
  needs: ReadonlyArray<Capability>,
  operation: Operation,
  { deepStandstill, standstill = 0 }: Pick<Ground, "deepStandstill" | "standstill">,
  check: (trial: Trial, standstill: number) => Promise<unknown>
): Law => {
  const deep = !isCommon(row, operation.name, standstill)
  const lasts = deep ? deepStandstill ?? standstill : standstill
  return law(`${row}, ${outcomes[operation.name]}`, {
    promises: promises[operation.name],
    needs: ["workers", ...needs],
    deep,
    limit: lasts + LIMIT_MS
  }, async (trial) => void await check(trial, lasts))
}

const standstillCells = (ground: Ground): ReadonlyArray<Law> =>
  standstills(Object.keys(ground.parties ?? {})).flatMap((row) =>
    operations.filter(({ name }) => !row.except.includes(name)).map((operation) =>
      cell(
        row.name,
        row.needProcess.includes(operation.name) ? ["own process"] : [],
        operation,
        ground,
        (trial, standstill) => row.run(trial, operation, standstill === 0 ? ground : { ...ground, standstill })
      )
    )
  )

/** `owner`: whose link it is; the caller's by default. */
const linkCells = (open: OpenLink, owner?: string): ReadonlyArray<Law> =>
  Object.entries(links).flatMap(([name, conditions]) => {
    const row = owner === undefined ? name : name.replace("The link", `The link of the ${owner}`)
    return operations.map((operation) =>
      cell(row, [], operation, {}, (trial) => over(trial, operation, conditions, open))
    )
  })

const cells = (ground: Ground): ReadonlyArray<Law> => [
  ...standstillCells(ground),
  ...ground.link === undefined ? [] : linkCells(ground.link),
  ...Object.entries(ground.partyLinks ?? {}).flatMap(([party, open]) => linkCells(open, party)),
  ...valueCells.map(({ check, deep, needs, operation, outcome, row }) =>
    law(`${row}, ${operation}: ${outcome}`, {
      promises: promises[operation],
      needs,
      deep,
      limit: VALUES_LIMIT_MS
    }, check)
  )
]

/** All cells that apply to a backend. */
export const conditionGrid = (ground: Ground): LawSet => laws("conditions", cells(ground))
