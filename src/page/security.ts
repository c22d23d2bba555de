import { createHash } from "node:crypto"
import type { IncomingHttpHeaders, IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { hostname, networkInterfaces } from "node:os"
import type { NetworkInterfaceInfo } from "node:os"

/** Addresses nobody outside this machine reaches. */
const LOOPBACK = new Set(["127.0.0.1", "localhost", "::1"])
/** What listens there is reached by every address of this machine, and can be asked for by none of these. */
const WILDCARDS = new Set(["0.0.0.0", "::"])

export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host)
}

/** Names under which a page that was to listen on `host`, and listens there, may be asked for, as `Host` says them. */
export function hostsOf(
  host: string,
  { address, port }: Pick<AddressInfo, "address" | "port">,
  more: readonly string[] = [],
): ReadonlySet<string> {
  const everywhere = WILDCARDS.has(address)
  const names = [
    host,
    address,
    ...(everywhere || isLoopback(host) ? LOOPBACK : []),
    ...(everywhere ? [hostname(), ...interfaces().map((one) => one.address)] : []),
    ...more,
  ].map((name) => bracketed(name).toLowerCase())
  // Browsers leave out the port that http has anyway.
  return new Set(names.flatMap((name) => [`${name}:${port}`, ...(port === 80 ? [name] : [])]))
}

/** The address of that page, one that can be opened: for a wildcard the first that other machines reach. */
export function urlOf(host: string, { address, port }: Pick<AddressInfo, "address" | "port">): string {
  const outside = interfaces().find(({ family, internal }) => family === "IPv4" && !internal)
  const name = WILDCARDS.has(address) ? (outside?.address ?? "localhost") : host
  return new URL(`http://${bracketed(name)}:${port}/`).href
}

function interfaces(): NetworkInterfaceInfo[] {
  return Object.values(networkInterfaces()).flatMap((all = []) => all)
}

function bracketed(name: string): string {
  return name.includes(":") && !name.startsWith("[") ? `[${name}]` : name
}

/** Why a request is refused before anybody looks at who sent it; undefined = it is not. */
export function refusal(request: IncomingMessage, hosts: ReadonlySet<string>): string | undefined {
  const { headers } = request
  const named = request.rawHeaders.filter((text, at) => at % 2 === 0 && text.toLowerCase() === "host").length
  // A name that resolves to this machine (DNS rebinding) is not ours, whoever says it.
  if (named !== 1 || headers.host === undefined || !hosts.has(headers.host.toLowerCase()))
    return "This is not the address of this page."
  if (request.url?.startsWith("/") !== true) return "Only paths are answered."
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host.toLowerCase()}`)
    return "Requests of other pages are not answered."
  const site = headers["sec-fetch-site"]
  if (site !== undefined && site !== "same-origin" && site !== "none" && !isVisit(request))
    return "Requests of other pages are not answered."
  return undefined
}

/** Following a link to the page itself: it shows nothing by itself, so anybody may send a reader there. */
function isVisit({ method, url, headers }: IncomingMessage): boolean {
  return (
    method === "GET" &&
    url === "/" &&
    headers["sec-fetch-mode"] === "navigate" &&
    headers["sec-fetch-dest"] === "document"
  )
}

/** Why a change is refused that a foreign page could have sent without being asked; undefined = it is not. */
export function changeRefusal(headers: IncomingHttpHeaders): string | undefined {
  // A form or a plain `fetch` of a foreign page cannot say JSON without a preflight, which is never answered.
  if (!/^application\/json *(;|$)/i.test(headers["content-type"] ?? "")) return "Changes are asked for in JSON."
  // Browsers always name the origin of a POST. Programs that do not show a bearer token, which no browser adds by itself.
  if (headers.origin === undefined && bearerOf(headers) === undefined) return "A change names the page it comes from."
  return undefined
}

export function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1]
}

/** Cookies know no ports: the name keeps two pages on one machine apart. */
function cookieName(port: number): string {
  return `lanes-${port}`
}

export function sessionOf(headers: IncomingHttpHeaders, port: number): string | undefined {
  const wanted = cookieName(port)
  for (const pair of (headers.cookie ?? "").split(";")) {
    const [name, value] = pair.trim().split("=", 2)
    if (name === wanted) return value
  }
  return undefined
}

export function sessionCookie(session: string, port: number): string {
  return `${cookieName(port)}=${session}; Path=/; HttpOnly; SameSite=Strict`
}

/** What every answer carries. The page's own script and style are allowed by their digests, nothing else runs. */
export function securityHeaders(html: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    `script-src ${digestsOf(html, "script")}`,
    `style-src ${digestsOf(html, "style")}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]
  return {
    "content-security-policy": policy.join("; "),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
  }
}

function digestsOf(html: string, tag: "script" | "style"): string {
  const parts = [...html.matchAll(new RegExp(`<${tag}[^>]*>([\\s\\S]*?)</${tag}>`, "g"))]
  const digests = parts.map(([, text = ""]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`)
  return digests.length === 0 ? "'none'" : digests.join(" ")
}
