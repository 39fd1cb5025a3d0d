/** Limits on what a frame and a view may hold. The sender checks them, so that a value that is too large fails its own call. */
import { NotPortableError } from "../ExecutorError.ts"
import type { PortableSide } from "../ExecutorError.ts"

/** Bytes of a frame, at most: 1 GiB. */
export const MAX_FRAME_BYTES = 2 ** 30

/** Offset and length of a view, at most, where memory is shared: V8 truncates both to 32 bits (bytes). */
export const MAX_VIEW_BYTES = 2 ** 32 - 1

/** Thrown by the sender of a frame that the receiver would not read. */
export class OversizedFrameError extends RangeError {
  /** Length of the frame. */
  readonly bytes: number
  constructor(bytes: number, maxBytes: number) {
    super(`A frame of ${bytes} bytes is longer than the limit of ${maxBytes} bytes`)
    this.bytes = bytes
  }
}

/** What to say about values that have too many bytes together. */
export const FRAME_HINT =
  `The arguments or the result of a call may have ${MAX_FRAME_BYTES} bytes (1 GiB) in total. Pass a file name, or split the call`

/** The error of a call whose arguments or result could not be sent. */
export const cannotBeSent = (error: unknown, path: string, side: PortableSide): NotPortableError =>
  error instanceof OversizedFrameError
    ? new NotPortableError({ path, value: `${error.bytes} bytes`, side, hint: FRAME_HINT, cause: error })
    : new NotPortableError({ path, value: error instanceof Error ? error.message : String(error), side, cause: error })
