import { canRepaint } from "./colors.ts"
import { JsonReporter } from "./json-reporter.ts"
import { LiveReporter } from "./live-reporter.ts"
import { PlainReporter } from "./plain-reporter.ts"
import type { Reporter, Streams } from "./reporter.ts"
import type { Terminal } from "./screen.ts"

type ProgressStreams = Streams & { readonly stderr: Terminal }

/** JSON when asked for, a live table in a terminal, else plain lines. */
export function reporterFor({ json }: { readonly json: boolean }, streams: Streams = process): Reporter {
  if (json) return new JsonReporter(streams)
  return canRepaint(streams.stdout) ? new LiveReporter(streams.stdout) : new PlainReporter(streams.stdout)
}

/** Progress on stderr, so that stdout carries results alone: those the command prints, or JSON. */
export function progressFor({ json }: { readonly json: boolean }, streams: ProgressStreams = process): Reporter {
  if (json) return new JsonReporter(streams)
  const own = { results: false }
  return canRepaint(streams.stderr) ? new LiveReporter(streams.stderr, own) : new PlainReporter(streams.stderr, own)
}
