import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { list, write } from "../../api/client";
import { Button, Command, Dialog, Field, Note, Select, sentence, toast, useLoad } from "../../ui";

/** Takes over a user of a database. */
export function NewStaticRole({ engine, onClose, onDone }: { engine: string; onClose: () => void; onDone: () => void }): JSX.Element {
  const connections = useLoad((signal) => list(`${engine}/config`, { signal }).catch(() => []), [engine]);
  const [form, setForm] = useState({ name: "", db_name: "", username: "", rotation_period: "24h" });
  const [wrong, setWrong] = useState<string | null>(null);
  const set = (part: Partial<typeof form>) => setForm({ ...form, ...part });
  const known = connections.data ?? [];
  const body = { db_name: form.db_name || known[0] || "", username: form.username.trim(), rotation_period: form.rotation_period.trim() };
  const path = `${engine}/static-roles/${form.name.trim() || "NAME"}`;
  const save = async () => {
    setWrong(null);
    try {
      await write(path, body);
      toast(`${body.username} is taken over; it has a new password`);
      onDone();
      onClose();
    } catch (error) {
      setWrong(sentence(error instanceof Error ? error.message : String(error)));
    }
  };
  return (
    <Dialog title="Take over a user" onClose={onClose}>
      <form class="stack" onSubmit={(event) => event.preventDefault()}>
        <p>The user has to exist in the database. It gets a new password at once: whoever uses the one it has now is cut off.</p>
        <Field label="Name of the static role" value={form.name} onInput={(name) => set({ name })} mono autoFocus />
        <Field label="User in the database" value={form.username} onInput={(username) => set({ username })} mono />
        {known.length > 0 ? <Select label="Connection" value={body.db_name} onInput={(db_name) => set({ db_name })} options={known} /> : <Field label="Connection" value={form.db_name} onInput={(db_name) => set({ db_name })} mono />}
        <Field label="A new password every" value={form.rotation_period} onInput={(rotation_period) => set({ rotation_period })} mono hint="5s or longer, like 1h or 30d." />
        {wrong && <Note tone="bad">{wrong}</Note>}
        <Command cli={["write", path, ...Object.entries(body).map(([key, value]) => `${key}=${value}`)]} request={{ method: "POST", path, body }} />
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" disabled={!form.name.trim() || !body.username || !body.db_name} onClick={save}>
            Take over
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
