/** The parts of `ProcessExecutor`, for programs that run its workers on behalf of somebody else. */
export { childProcesses } from "./backend.ts"
export { openChild } from "./child.ts"
export type { Child } from "./child.ts"
export { Watchdog } from "./Watchdog.ts"
