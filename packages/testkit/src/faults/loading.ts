/** A task module whose loading goes wrong, as the query of its URL says. Loaded without one, it only tells where it is. */
import { commit } from "./commit.ts"
import type { FaultName } from "./commit.ts"

const fault = new URL(import.meta.url).searchParams.get("fault")
if (fault !== null) commit(fault as FaultName, "loading the module")

export const here = import.meta.url

export const run = (): string => "ran"
