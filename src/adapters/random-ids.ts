import { randomInt } from "node:crypto"

import type { Ids } from "../coordinator/ports.ts"

const BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"

/** `bg_` and 8 characters: 41 bits, and the coordinator asks again when one is taken. */
export const randomIds: Ids = {
  task: () => `bg_${Array.from({ length: 8 }, () => BASE36.charAt(randomInt(36))).join("")}`,
}
