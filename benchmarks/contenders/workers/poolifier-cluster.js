import { ClusterWorker } from "poolifier"
import { work } from "../../tasks/work.js"

export default new ClusterWorker(work)
