import { move as moved } from "piscina"

export const move = (bytes) => moved(bytes)
