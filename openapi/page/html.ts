import { html } from "hono/html";

/** Markup. Every interpolated value is escaped. */
export type Html = ReturnType<typeof html>;

/** Joins markup by a separator. */
export function joined(parts: readonly Html[], separator: string): Html[] {
  return parts.map((part, index) => (index === 0 ? part : html`${separator}${part}`));
}

/** A table. Keyboards can scroll it where the screen is narrow. */
export function table(caption: string, headings: readonly string[], rows: readonly Html[]): Html {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${headings.map((heading) => html`<th scope="col">${heading}</th>`)}</tr></thead>
<tbody>${rows}</tbody>
</table></div>`;
}
