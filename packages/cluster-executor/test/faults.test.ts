import { broken, faultGrid } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"
import { onCluster } from "./onCluster.ts"

conformance({
  name: "cluster",
  executor: onCluster,
  gaps: [{
    name: "A task module that is missing fails its own calls",
    reason: "it is refused because it is no file below the code root; nobody looks whether it is there"
  }]
}, {
  laws: [broken, faultGrid({ execArgv: ["--max-old-space-size=40"] })]
})
