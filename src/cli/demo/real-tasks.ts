/** What the demo asks a real model: short, read-only questions that make sense in any project. */

import type { DemoTask } from "./conversations.ts"

const BRIEFLY = "Read at most five files, change nothing, and answer in at most two sentences."

export const REAL_TASKS: readonly DemoTask[] = [
  {
    agents: ["explore", "general"],
    description: "Find the entry point",
    prompt: `Where does the program in this folder start? ${BRIEFLY}`,
  },
  {
    agents: ["librarian", "general"],
    description: "Check the documents",
    prompt: `What does this folder's README leave out that a newcomer needs? ${BRIEFLY}`,
  },
  {
    agents: ["oracle", "general"],
    description: "Name the weakest part",
    prompt: `Which part of the code in this folder would you improve first, and why? ${BRIEFLY}`,
  },
  {
    agents: ["explore", "general"],
    description: "Find what is unfinished",
    prompt: `Which places in this folder are marked as unfinished (TODO, FIXME)? ${BRIEFLY}`,
  },
]
