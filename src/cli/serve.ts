/** `lanes serve`: the live page of a project's tasks, whoever coordinates them. */

import { availableParallelism } from "node:os"
import { defineCommand } from "citty"
import type { CommandDef } from "citty"
import { loadConfig } from "../adapters/config-file.ts"
import { resolveOptions } from "../config.ts"
import { servePage } from "../page/server.ts"
import type { Page, PageOptions } from "../page/server.ts"
import { onInterrupt } from "./interrupt.ts"
import { JournalSource } from "./journal-source.ts"
import { toStderr } from "./journals.ts"
import { UsageError } from "./output/errors.ts"
import { EXIT } from "./output/exit-codes.ts"
import { directoryOf } from "./task-options.ts"

const args = {
  port: { type: "string", description: "Default: any free one", valueHint: "number" },
  host: {
    type: "string",
    description: "Default: 127.0.0.1; any other needs LANES_PAGE_TOKEN, a secret of 16 characters or more",
    valueHint: "address",
  },
  all: { type: "boolean", description: "Tasks of all projects, not of this folder's alone" },
  dir: { type: "string", description: "Of another project", valueHint: "folder" },
} as const

export const serve: CommandDef<typeof args> = defineCommand({
  meta: { name: "serve", description: "Show tasks on a page in the browser, live" },
  args,
  run: async ({ args: { port, host, all, dir } }) => {
    const directory = directoryOf(dir)
    const token = process.env["LANES_PAGE_TOKEN"] || undefined
    const { config, warnings } = loadConfig({ directory, over: [] })
    for (const warning of warnings) toStderr(warning)
    const { options } = resolveOptions(config, { cores: availableParallelism() })
    using interrupt = onInterrupt()
    using source = await JournalSource.open(all === true ? undefined : directory, options)
    await using page = await served(source, {
      port: portOf(port),
      directory,
      retainMs: options.retainMs,
      ...(all === true ? { title: "all projects" } : {}),
      ...(host === undefined ? {} : { host }),
      ...(token === undefined ? {} : { token }),
    })
    process.stdout.write(`${page.link()}\n`)
    toStderr(
      `The link opens one browser, once${process.stdin.isTTY ? "; Enter prints another" : ""}. Ctrl-C ends the page, not the tasks.`,
    )
    const more = (): void => void process.stdout.write(`${page.link()}\n`)
    if (process.stdin.isTTY) process.stdin.on("data", more)
    await new Promise<void>((resolve) => {
      if (interrupt.signal.aborted) resolve()
      else interrupt.signal.addEventListener("abort", () => resolve(), { once: true })
    })
    process.stdin.off("data", more)
    return EXIT.ok
  },
})

async function served(source: JournalSource, options: PageOptions): Promise<Page> {
  try {
    return await servePage(source, options)
  } catch (thrown) {
    const code: unknown = thrown instanceof Error && "code" in thrown ? thrown.code : undefined
    if (code === "EADDRINUSE")
      throw new UsageError(`--port: ${options.port} is in use already; leave it out for any free one.`)
    if (code === "PAGE_TOKEN_MISSING") throw new UsageError(`${(thrown as Error).message} Set LANES_PAGE_TOKEN.`)
    throw thrown
  }
}

function portOf(text: string | undefined): number {
  const port = Number(text ?? 0)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535 && text !== "") return port
  throw new UsageError(`--port: expected a number from 0 to 65535, got "${text}".`)
}
