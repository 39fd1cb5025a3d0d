import { conformance } from "@futures/testkit/vitest"
import { clusterGaps, onCluster } from "./onCluster.ts"

conformance({ name: "cluster", executor: onCluster, gaps: clusterGaps })
