/** A thread of a child process, where no watchdog stands by: it looks for the parent, also while the child is in an endless loop. */
import process from "node:process"

const LOOK_EVERY = 500

const parent = Number(process.argv[2])

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, "SIGKILL")
}, LOOK_EVERY)
