import { ClusterWorker } from "poolifier"
import { faults } from "./faults.js"

export default new ClusterWorker(faults)
