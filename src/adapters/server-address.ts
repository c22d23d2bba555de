/** Whether this is where a server may be. */
export function isServerAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

/** An address as it may be shown and stored: in one spelling, without the user and password it may carry. */
export function shownAddress(address: string): string {
  if (!isServerAddress(address)) return address.replace(/^((?:[a-z][a-z\d+.-]*:)?\/\/)?[^/?#]*@/i, "$1")
  const { origin, pathname } = new URL(address)
  return `${origin}${pathname.replace(/\/+$/, "")}`
}
