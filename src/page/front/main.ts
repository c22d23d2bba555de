import { html, render } from "htm/preact"

import { App } from "./app.ts"
import { follow } from "./connection.ts"
import { applyTheme } from "./header.ts"
import { Store } from "./store.ts"

const store = new Store()
const root = document.querySelector<HTMLElement>("#app")
if (root !== null) {
  applyTheme()
  render(html`<${App} store=${store} />`, root)
  void follow(store)
}
