import { conformance } from "@futures/testkit/vitest"
import { onCluster } from "./onCluster.ts"

conformance({
  name: "cluster",
  executor: onCluster,
  gaps: [
    { name: "shared memory", reason: "another machine has a memory of its own" },
    {
      name: "A worker gets the environment of the option env over the parent's",
      reason: "workers have the environment of their engine, and the option env over it: the caller's holds secrets"
    }
  ]
})
