import { parentPort, workerData } from "node:worker_threads"
import { work } from "../../tasks/work.js"

parentPort.on("message", (message) => {
  if (workerData === "move") return parentPort.postMessage(message, [message.buffer])
  const [works, args] = message
  parentPort.postMessage(works.map((name, i) => work[name](args[i])))
})
