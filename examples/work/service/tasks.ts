import { Task } from "@futures/core"
import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto"

/** Slow on purpose: whoever steals the hashes must pay this for each guess. */
const derive = (password: string, salt: Buffer): Buffer => scryptSync(password.normalize(), salt, 32, { N: 2 ** 14 })

export const { hash, verify } = Task.module(import.meta, {
  hash: (password: string): string => {
    const salt = randomBytes(16)
    return `${salt.toString("hex")}:${derive(password, salt).toString("hex")}`
  },
  verify: (password: string, hashed: string): boolean => {
    const [salt, key] = hashed.split(":").map((part) => Buffer.from(part, "hex")) as [Buffer, Buffer]
    return timingSafeEqual(derive(password, salt), key)
  }
})
