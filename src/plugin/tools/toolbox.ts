import type { Desk } from "../desk.ts"
import type { HostTool, ToolAnswer, ToolCall } from "../host-shapes.ts"
import { CANCEL, DELEGATE, ignoredNotes, OUTPUT, read } from "./arguments.ts"
import { cancel, describeCancel } from "./background-cancel.ts"
import { describeOutput, output } from "./background-output.ts"
import { delegate, describeDelegate } from "./delegate-task.ts"
import { CANCEL_JSON, DELEGATE_JSON, OUTPUT_JSON } from "./json-schemas.ts"
import type { JsonSchema } from "./json-schemas.ts"

export interface Tool extends HostTool {
  /** Its arguments exactly, as `tool.definition` sets them. */
  readonly schema: object
}

/** The three tools under the names they have here. Every call is answered with a text; none of them throws. */
export function toolbox(desk: Desk): Record<string, Tool> {
  const { names } = desk
  return {
    [names.delegate]: tool(DELEGATE_JSON, describeDelegate(names.output, names.cancel), async (sent, call) => {
      const args = read(DELEGATE, sent)
      if ("value" in args) return delegate(desk, args.value, ignoredNotes(sent), call)
      return wrong(names.delegate, args.wrong, 'prompt="…", description="3–5 words", agent="explore"')
    }),
    [names.output]: tool(OUTPUT_JSON, describeOutput(names.delegate), async (sent, call) => {
      const args = read(OUTPUT, sent)
      return "value" in args ? output(desk, args.value, call) : wrong(names.output, args.wrong, 'task_id="bg_…"')
    }),
    [names.cancel]: tool(CANCEL_JSON, describeCancel(names.delegate), async (sent, call) => {
      const args = read(CANCEL, sent)
      return "value" in args ? cancel(desk, args.value, call) : wrong(names.cancel, args.wrong, 'task_id="bg_…"')
    }),
  }
}

function tool(
  schema: JsonSchema,
  description: string,
  run: (sent: unknown, call: ToolCall) => Promise<string | ToolAnswer>,
): Tool {
  return {
    description,
    args: schema.properties,
    schema,
    execute: (sent, call) => run(sent, call).catch((thrown: unknown) => sentence(thrown)),
  }
}

function wrong(name: string, what: string, example: string): string {
  return `${name} was not called right: ${what}.\n\nCall it like this: ${name}(${example})`
}

/** Refusals and errors of ours say what happened and what to do; of anything else the message, never the stack. */
function sentence(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : "Something went wrong; nothing was done."
}
