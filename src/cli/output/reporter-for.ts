import { canRepaint } from "./colors.ts"
import { JsonReporter } from "./json-reporter.ts"
import { LiveReporter } from "./live-reporter.ts"
import { PlainReporter } from "./plain-reporter.ts"
import type { Reporter, Streams } from "./reporter.ts"

/** JSON when asked for, a live table in a terminal, else plain lines. */
export function reporterFor({ json }: { readonly json: boolean }, streams: Streams = process): Reporter {
  if (json) return new JsonReporter(streams)
  return canRepaint(streams.stdout) ? new LiveReporter(streams.stdout) : new PlainReporter(streams.stdout)
}
