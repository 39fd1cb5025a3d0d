import { ThreadWorker } from "poolifier"
import { work } from "../../tasks/work.js"

export default new ThreadWorker(work)
