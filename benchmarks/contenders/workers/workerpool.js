import workerpool from "workerpool"
import { work } from "../../tasks/work.js"

workerpool.worker({ ...work, move: (bytes) => new workerpool.Transfer(bytes, [bytes.buffer]) })
