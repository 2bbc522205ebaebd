import type { JSX } from "preact";
import type { Method } from "../../forms/description";
import { Badge } from "../../ui";

const TONES: Record<Method, "" | "accent" | "warn" | "bad"> = { GET: "", LIST: "", POST: "accent", PATCH: "accent", DELETE: "bad" };

/** How a path can be asked. */
export function Methods({ methods }: { methods: Method[] }): JSX.Element {
  return (
    <span class="methods">
      {methods.map((method) => (
        <Badge key={method} tone={TONES[method]}>
          {method}
        </Badge>
      ))}
    </span>
  );
}
