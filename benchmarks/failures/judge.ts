/** What of that is not as it ought to be, in a few words. */
import type { Event } from "./child.ts"
import type { Seen } from "./play.ts"
import type { Label, Scene } from "./scenes.ts"

const names: Record<Label, string> = {
  first: "the call before",
  "at fault": "the call",
  queued: "the call behind it",
  later: "a later call"
}

/** The values that innocent calls hand in, which they ought to get back. */
const own: Partial<Record<Label, string>> = { first: "1", queued: "2", later: "3" }

/** Errors that say nothing. */
const empty = /^(?:\{\}|undefined|null|"?"?|Error: ?|at once: \{\})$/

export const problemsOf = (
  { expected, id, runs: faulty }: Scene,
  { events, exit, orphans, runs }: Seen
): ReadonlyArray<string> => {
  const problems: Array<string> = []
  for (const [label, ending] of Object.entries(expected) as Array<[Label, "value" | "error" | "either"]>) {
    const told = events.filter((event) => "label" in event && event.label === label)
    if (told.length === 0) continue
    const end = told.find(({ what }) => what === "resolved" || what === "rejected")
    const { detail = "" } = end ?? {}
    if (end === undefined) {
      if (exit !== undefined && hasDied(events, id)) continue
      problems.push(`${names[label]} never ends`)
    } else if (end.what === "resolved") {
      if (ending === "error") problems.push(`${names[label]} succeeds with ${detail}`)
      else if (label !== "at fault" && detail !== own[label] && ending === "value") {
        problems.push(`${names[label]} gets ${detail}, which is not its own`)
      }
    } else if (ending === "value") problems.push(`${names[label]} fails (${short(detail)})`)
    else if (detail.startsWith("at once: ")) problems.push(`${names[label]} throws at its caller`)
    else if (empty.test(detail)) problems.push(`${names[label]} fails with an error that says nothing`)
  }
  if (faulty === true && runs === 0) problems.push("the fault never ran")
  if (runs > 1) problems.push(`the task runs ${runs} times`)
  const closes = events.find(({ what }) => what === "close failed")
  if (closes !== undefined) problems.push(`closing fails (${short(closes.detail ?? "")})`)
  const played = events.some(({ what }) => what === "played")
  const closed = events.some(({ what }) => what === "closed" || what === "close failed")
  if (played && !closed && id !== "forgets" && id !== "parent") problems.push("closing never ends")
  if (hasDied(events, id)) problems.push(exit === undefined ? "the program stands still" : `the program dies (${exit})`)
  if (id === "forgets" && exit !== 0) problems.push(exit === undefined ? "it never ends" : `it ends with ${exit}`)
  if (orphans > 0) problems.push(orphans === 1 ? "a process is left" : `${orphans} processes are left`)
  return problems
}

const hasDied = (events: ReadonlyArray<Event>, id: string): boolean =>
  id !== "parent" && !events.some(({ what }) => what === "played")

const short = (text: string): string => text.length > 60 ? `${text.slice(0, 57)}...` : text
