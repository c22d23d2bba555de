/** Fenced and inline code, quotes and quoted lines: what is said about the word, not with it. */
const NOT_SAID =
  /```[\s\S]*?(?:```|(?![\s\S]))|~~~[\s\S]*?(?:~~~|(?![\s\S]))|`[^`\n]*`|^\s*>.*$|"[^"\n]*"|“[^”\n]*”|«[^»\n]*»|(?<!\w)'[^'\n]*'(?!\w)/gm

const WORD = /(?<![\w/.@#-])(?:ultrawork|ulw)(?![\w/@-]|\.\w)/i

/** Whether somebody asks for ultrawork in a text of theirs. */
export function asksForUltrawork(text: string): boolean {
  return WORD.test(text.replace(NOT_SAID, " "))
}

/** What such a turn is told. */
export function ultraworkText(delegate: string, output: string): string {
  return `<system-reminder>
The user asked for ultrawork. Work like this in this turn:
1. Split the work: what is independent of what, and what must come first? Write the pieces down as TODOs.
2. Delegate every independent piece now, all in one step, with ${delegate} in the background: explore for finding things in the code base, librarian for documentation and best practice, oracle for architecture, momus for a review of your plan, general for changes. Each prompt stands alone: goal, context, limits, what to answer.
3. Go on with the piece only you can do. Do not poll; you are notified.
4. Collect each result once with ${output}, check what you build on against the code, and delegate again what came out wrong or is still open.
5. Verify the whole before you say it is done: run its tests or checks, and report what you saw.
</system-reminder>`
}
