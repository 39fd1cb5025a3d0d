/** The parts of `ProcessExecutor`, for programs that run its workers on behalf of somebody else. */
export { childProcesses } from "./child.ts"
export { Watchdog } from "./Watchdog.ts"
