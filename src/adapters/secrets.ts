/** A text without the secrets that may be in it. */
export type Hide = (text: string) => string

/** Shorter ones would be found in words that hide nothing. */
const SHORTEST = 6

/**
 * Hides passwords of servers in whatever is written for others to read: the log, and rows and events of the journal,
 * where an agent may have repeated its environment. As they are, in JSON and in an address.
 */
export function hiding(secrets: readonly (string | undefined)[]): Hide {
  const words = secrets
    .filter((secret) => secret !== undefined && secret.length >= SHORTEST)
    .flatMap((secret = "") => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])
  const known = [...new Set(words)].toSorted((a, b) => b.length - a.length)
  return (text) => known.reduce((rest, word) => (rest.includes(word) ? rest.replaceAll(word, "•••") : rest), text)
}
