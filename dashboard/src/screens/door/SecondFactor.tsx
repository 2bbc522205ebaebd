import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write, type Auth, type MfaRequirement } from "../../api/client";
import { Button, Field, Note, sentence } from "../../ui";

interface Props {
  wanted: MfaRequirement;
  namespace: string;
  onDone: (auth: Auth | null) => Promise<void> | void;
  onBack: () => void;
}

/** What a login wants besides the password: a code for each constraint, or an answer on somebody's telephone. */
export function SecondFactor({ wanted, namespace, onDone, onBack }: Props): JSX.Element {
  // One method of each constraint is enough: the first one.
  const methods = Object.entries(wanted.mfa_constraints).flatMap(([name, { any }]) => (any[0] ? [{ ...any[0], constraint: name }] : []));
  const [codes, setCodes] = useState<Record<string, string>>({});
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setError(null);
    setBusy(true);
    try {
      const payload = Object.fromEntries(methods.map(({ id, uses_passcode }) => [id, uses_passcode ? [(codes[id] ?? "").trim()] : []]));
      const { auth } = await write("sys/mfa/validate", { mfa_request_id: wanted.mfa_request_id, mfa_payload: payload }, { token: null, namespace });
      await onDone(auth);
    } catch (reason) {
      setError(sentence(reason instanceof Error ? reason.message : String(reason)));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="stack" onSubmit={submit} aria-label="Second factor">
      <p>This login wants a second factor.</p>
      {methods.map(({ id, type, name, constraint, uses_passcode }, index) =>
        uses_passcode ? (
          <Field
            key={id}
            label={type === "totp" ? "Code of your authenticator" : `Code of ${name || type}`}
            hint={`Wanted by ${constraint}.`}
            value={codes[id] ?? ""}
            onInput={(value) => setCodes((last) => ({ ...last, [id]: value }))}
            inputMode="numeric"
            autoComplete="one-time-code"
            autoFocus={index === 0}
            required
          />
        ) : (
          <Note key={id}>Confirm the login with {name || type} after you go on.</Note>
        ),
      )}
      {error && <Note tone="bad">{error}</Note>}
      <div class="row end">
        <Button onClick={onBack}>Back</Button>
        <Button type="submit" kind="primary" busy={busy}>
          Go on
        </Button>
      </div>
    </form>
  );
}
