import { Socket } from "node:net"
import { work } from "../../tasks/work.js"
import { frame, unframe } from "./frames.js"

const socket = new Socket({ fd: 3, readable: true, writable: true })
socket.on("data", unframe(([works, args]) => socket.write(frame(works.map((name, i) => work[name](args[i]))))))
socket.on("close", () => process.exit(0))
