// Made by scripts/build-page.ts and kept in the tree: text inside the bundle, so that one file is all a package needs.
import page from "./page.html" with { type: "text" }

/** The page: one file with its script and style in it. */
export function pageHtml(): string {
  return page as unknown as string
}
