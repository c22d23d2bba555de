/** What we say to agents, in their sessions. */

export const RESUME = "You were interrupted. Look at what you have done so far, go on from there, and finish the task."

/** To a session that went idle with open TODOs. */
export function nudge(open: number): string {
  return `You stopped with ${open} of your TODOs open. Go on until each is done, or cancel it with a reason, then give your final answer.`
}

/** To a session that asks for a permission nobody is there to give. */
export function refusal(permission: string): string {
  return `Nobody can grant the permission "${permission}" here. Go on without it; if that is impossible, say so in your answer.`
}
