/**
 * Round trip of a link, from questions and their answers. The least of the latest ones counts: what the caller computes, or what waits in front of a
 * question, makes single answers late.
 */

/** Answers that count. */
const SAMPLES = 8
/** At first each answer is followed by a question, until this many have come: the engine is busy with the start of the worker. */
const ENOUGH = 4
/** Longer round trips count as this one (ms). */
const LONGEST_MS = 1_000

export class RoundTrip {
  readonly #samples: Array<number> = []
  #next = 0
  /** The least of the latest round trips (ms); 0 before the first. */
  ms = 0

  /** Whether enough answers have come. */
  get isKnown(): boolean {
    return this.#samples.length >= ENOUGH
  }

  /** Records an answer that took this long (ms). */
  learn(millis: number): void {
    if (!(millis >= 0)) return
    this.#samples[this.#next] = Math.min(millis, LONGEST_MS)
    this.#next = (this.#next + 1) % SAMPLES
    this.ms = Math.min(...this.#samples)
  }
}
