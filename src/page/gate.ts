import { createHash, randomBytes, timingSafeEqual } from "node:crypto"

const LINKS = 32
const SESSIONS = 64

/** Why a token does not open the gate. */
export type Refusal = "used" | "wrong"

/**
 * Who may look. A link opens it once and becomes a session, which the browser keeps as a cookie; a fixed token, if the
 * reader chose one, opens it as often as it is shown. Secrets are kept as digests and compared in constant time.
 */
export class Gate {
  readonly #token: Buffer | undefined
  readonly #open: boolean
  readonly #links: Buffer[] = []
  readonly #used: Buffer[] = []
  readonly #sessions: Buffer[] = []

  /** `token`: a fixed one, or false for a page that asks for none. */
  constructor(token?: string | false) {
    this.#open = token === false
    this.#token = typeof token === "string" ? digest(token) : undefined
  }

  /** A secret that opens a session once. */
  link(): string {
    const secret = randomBytes(24).toString("base64url")
    keep(this.#links, digest(secret), LINKS)
    return secret
  }

  /** The session a secret opens, or why it opens none. */
  redeem(secret: string): { readonly session: string } | { readonly refused: Refusal } {
    const given = digest(secret)
    const at = find(this.#links, given)
    const fixed = this.#token !== undefined && timingSafeEqual(this.#token, given)
    if (at < 0 && !fixed) return { refused: find(this.#used, given) < 0 ? "wrong" : "used" }
    if (at >= 0) {
      this.#links.splice(at, 1)
      keep(this.#used, given, LINKS)
    }
    const session = randomBytes(32).toString("base64url")
    keep(this.#sessions, digest(session), SESSIONS)
    return { session }
  }

  /** Whether a request may pass: by its cookie's session, or by a bearer token. */
  admits({
    session,
    bearer,
  }: {
    readonly session?: string | undefined
    readonly bearer?: string | undefined
  }): boolean {
    if (this.#open) return true
    if (session !== undefined && find(this.#sessions, digest(session)) >= 0) return true
    return bearer !== undefined && this.#token !== undefined && timingSafeEqual(this.#token, digest(bearer))
  }
}

function digest(secret: string): Buffer {
  return createHash("sha256").update(secret).digest()
}

function keep(list: Buffer[], entry: Buffer, most: number): void {
  list.push(entry)
  if (list.length > most) list.shift()
}

/** Looks at every entry, so that the time tells nothing. */
function find(list: readonly Buffer[], wanted: Buffer): number {
  let found = -1
  list.forEach((entry, at) => {
    if (timingSafeEqual(entry, wanted)) found = at
  })
  return found
}
