/** What each child process runs. */
import { serveParent } from "./serveParent.ts"

serveParent()
