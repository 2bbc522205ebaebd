import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { signIn } from "../../session";
import { Door } from "../../shell/Door";
import { Button, Field, Note } from "../../ui";

export function SignIn(): JSX.Element {
  const [token, setToken] = useState("");
  const [error, setError] = useState<string | null>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      await signIn(token.trim());
    } catch (reason) {
      setError(String(reason));
    }
  };
  return (
    <Door>
      <form class="stack" onSubmit={submit}>
        <h1>Sign in</h1>
        {error && <Note tone="bad">{error}</Note>}
        <Field label="Token" type="password" value={token} onInput={setToken} autoFocus />
        <Button type="submit" kind="primary" block>Sign in</Button>
      </form>
    </Door>
  );
}
