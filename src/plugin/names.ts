/** What our three tools are called here. */
export interface ToolNames {
  readonly delegate: string
  readonly output: string
  readonly cancel: string
}

export const USUAL: ToolNames = { delegate: "delegate_task", output: "background_output", cancel: "background_cancel" }

/** Beside another plugin that registers the usual ones. */
export const APART: ToolNames = { delegate: "lanes_delegate", output: "lanes_output", cancel: "lanes_cancel" }

/** Plugins with background tasks of their own, by the package's name in an entry of OpenCode's `plugin` list. */
const RIVAL = /(^|[/\\])(oh-my-opencode|oh-my-openagent)(?![a-z])/

/** The entry of a plugin that would register our tools' names, if there is one. */
export function rivalIn(plugins: readonly unknown[]): string | undefined {
  const entries = plugins.map((entry: unknown) => (Array.isArray(entry) ? (entry[0] as unknown) : entry))
  return entries.find((entry) => typeof entry === "string" && RIVAL.test(entry)) as string | undefined
}

/** What is to be done about it, in one sentence. */
export function rivalAdvice(rival: string): string {
  return (
    `${rival} is loaded too and registers background_output and background_cancel: ours are lanes_delegate, lanes_output ` +
    `and lanes_cancel. Remove "${rival}" or "opencode-lanes" from the list "plugin" in opencode.json.`
  )
}
