import workerpool from "workerpool"
import { faults } from "./faults.js"

workerpool.worker(faults)
