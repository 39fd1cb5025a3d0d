/** All questions, in order. */
import type { Question } from "../src/question.ts"
import W1 from "./W1.ts"
import W10 from "./W10.ts"
import W11 from "./W11.ts"
import W12 from "./W12.ts"
import W2 from "./W2.ts"
import W2c from "./W2c.ts"
import W2e from "./W2e.ts"
import W2m from "./W2m.ts"
import W3 from "./W3.ts"
import W3c from "./W3c.ts"
import W4 from "./W4.ts"
import W4c from "./W4c.ts"
import W5 from "./W5.ts"
import W5c from "./W5c.ts"
import W6 from "./W6.ts"
import W7 from "./W7.ts"
import W8 from "./W8.ts"
import W8c from "./W8c.ts"

export const questions: ReadonlyArray<Question> = [
  W1,
  W2,
  W2c,
  W2e,
  W2m,
  W3,
  W3c,
  W4,
  W4c,
  W5,
  W5c,
  W6,
  W7,
  W8,
  W8c,
  W10,
  W11,
  W12
]
