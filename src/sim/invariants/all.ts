import type { Oracle } from "../truth.ts"
import { bounds } from "./bounds.ts"
import { endings } from "./endings.ts"
import { instances } from "./instances.ts"
import { lanes } from "./lanes.ts"
import { notices } from "./notices.ts"
import { orphans } from "./orphans.ts"
import { sessions } from "./sessions.ts"
import { stray } from "./stray.ts"
import { truths } from "./truths.ts"

/** Every promise a single run can show, watched by its own count. What takes two runs is in `differential.ts`. */
export const ORACLES: readonly Oracle[] = [lanes, endings, truths, sessions, notices, bounds, stray, orphans, instances]
