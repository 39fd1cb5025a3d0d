import { ThreadWorker } from "poolifier"
import { faults } from "./faults.js"

export default new ThreadWorker(faults)
