/** All questions, in order. */
import type { Question } from "../src/question.ts"
import W1 from "./W1.ts"
import W10 from "./W10.ts"
import W2 from "./W2.ts"
import W2e from "./W2e.ts"
import W2m from "./W2m.ts"
import W3 from "./W3.ts"
import W4 from "./W4.ts"
import W5 from "./W5.ts"
import W6 from "./W6.ts"
import W7 from "./W7.ts"
import W8 from "./W8.ts"

export const questions: ReadonlyArray<Question> = [W1, W2, W2e, W2m, W3, W4, W5, W6, W7, W8, W10]
