// A task is just a function.
//
// Python:  who(2)

import { who } from "./tasks/who.ts"

console.log("calling who(2) here, with no executor")
const { pid, threadId } = who(2)
console.log(`it ran on process ${pid}, thread ${threadId}`)
