/** What opens and what closes a quote, in the habits of many languages. */
const QUOTES = ['""', "“”", "„“", "„”", "””", "‘’", "‚‘", "‚’", "«»", "»«", "‹›", "›‹", "「」", "『』"]

/** Code and quotes: what is said about the word, not with it. */
const NOT_SAID = new RegExp(
  [
    // Fenced up to the fence that closes, or to the end; spans between as many back-ticks, within a paragraph.
    /(?<fence>`{3,}|~{3,})[^]*?(?:\k<fence>|(?![^]))/.source,
    /(?<!`)(?<ticks>``?)(?!`)(?:(?!\n\s*\n)[^])+?(?<!`)\k<ticks>(?!`)/.source,
    /<(?<tag>code|pre)\b[^>]*>[^]*?<\/\k<tag>>/.source,
    // Indented code, and quoted lines.
    /^(?: {4}|\t).*$/.source,
    /^\s*>.*$/.source,
    // Quotes may go on in a second line; a straight single one may be an apostrophe.
    ...QUOTES.map(([open, close]) => `${open}[^${open}${close}\\n]*(?:\\n[^${open}${close}\\n]*)?${close}`),
    /(?<!\w)'[^'\n]*'(?!\w)/.source,
  ].join("|"),
  "gim",
)

const WORD = /(?<![\w/.@#-])(?:ultrawork|ulw)(?![\w/@-]|\.\w)/i

/** Whether somebody asks for ultrawork in a text of theirs. */
export function asksForUltrawork(text: string): boolean {
  // Hardly any text has the word at all.
  return WORD.test(text) && WORD.test(text.replace(NOT_SAID, " "))
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
