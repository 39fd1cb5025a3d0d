/** Warnings about the program as a whole: each text is published once in a process, however many workers report it. */
import { notify } from "../worker/realm.ts"

/** At most so many texts are remembered and published: tasks could send any number. */
const MOST_NOTICES = 100

const published = new Set<string>()

/** Publishes a text as a `FuturesWarning`, unless it was published before; in a worker, passes it on to the parent. */
export const publishNotice = (text: string): void => {
  if (published.has(text) || published.size >= MOST_NOTICES) return
  published.add(text)
  notify(text)
}
