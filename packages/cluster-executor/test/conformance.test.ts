import { conformance } from "@futures/testkit/vitest"
import { onCluster } from "./onCluster.ts"

conformance({
  name: "cluster",
  executor: onCluster,
  gaps: [
    { name: "shared memory", reason: "another machine has a memory of its own" },
    { name: "own timers", reason: "the client of the broker sends by the global timers" },
    {
      name: "cancel() takes back a call that its worker holds and has not started",
      reason: "no memory is shared with the worker: what was sent to it comes back by itself within some milliseconds"
    },
    {
      name: "In CommonJS a module is given as module, __filename or a path, and tasks are found under its URL",
      reason: "its modules lie outside of the code root, where engines run nothing"
    },
    {
      name: "A worker gets the environment of the option env over the parent's",
      reason: "workers have the environment of their engine, and the option env over it: the caller's holds secrets"
    }
  ]
})
