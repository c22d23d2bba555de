/** The plugin interface of OpenCode 1.18, as far as it is used here; its own package is not needed at run time. */

/** What `server` is given, once per directory and again after each dispose. */
export interface PluginInput {
  readonly client: object
  readonly directory: string
  readonly worktree: string
}

/** The turn a tool is called in. */
export interface ToolCall {
  readonly sessionID: string
  /** The assistant message that calls. */
  readonly messageID: string
  readonly agent: string
  readonly abort: AbortSignal
  /** To be shown beside the running call. OpenCode 1.18.33 drops it for a plugin's tool; other hosts show it. */
  metadata(shown: { title?: string; metadata?: Record<string, unknown> }): unknown
}

/** What a tool answers: the output is the model's, the rest is shown to people. */
export interface ToolAnswer {
  readonly title: string
  readonly output: string
  readonly metadata: Readonly<Record<string, unknown>>
}

export interface HostTool {
  readonly description: string
  /** JSON Schema per argument; which of them are required is set by `tool.definition`. */
  readonly args: Record<string, object>
  execute(args: unknown, call: ToolCall): Promise<string | ToolAnswer>
}

export interface TextPart {
  readonly id: string
  readonly sessionID: string
  readonly messageID: string
  readonly type: "text"
  readonly text: string
  readonly synthetic?: boolean
}

export type AnyPart = TextPart | { readonly id: string; readonly type: string }

export interface UserMessage {
  readonly id: string
  readonly sessionID: string
  readonly agent?: string
  readonly model?: { readonly providerID: string; readonly modelID: string }
}

/** OpenCode's configuration, as the hook `config` may change it. */
export interface HostConfig {
  agent?: Record<string, unknown>
  plugin?: readonly unknown[]
  /** Bounds of tools' answers. */
  readonly tool_output?: { readonly max_bytes?: number; readonly max_lines?: number }
}

export interface Hooks {
  tool: Record<string, HostTool>
  config(config: HostConfig): Promise<void>
  event(input: { event: unknown }): Promise<void>
  dispose(): Promise<void>
  "chat.message"(input: { sessionID: string }, output: { message: UserMessage; parts: AnyPart[] }): Promise<void>
  "tool.definition"(input: { toolID: string }, output: { description: string; jsonSchema?: object }): Promise<void>
  "experimental.chat.system.transform"(input: { sessionID?: string }, output: { system: string[] }): Promise<void>
  "experimental.session.compacting"(input: { sessionID: string }, output: { context: string[] }): Promise<void>
  "experimental.text.complete"(input: { sessionID: string; messageID: string }, output: { text: string }): Promise<void>
}

/** A plugin's default export: no other export may be a function. */
export interface PluginModule {
  readonly id: string
  readonly server: (input: PluginInput, options?: unknown) => Promise<Hooks>
}
