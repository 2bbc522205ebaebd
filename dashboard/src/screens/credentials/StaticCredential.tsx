import type { JSX } from "preact";
import { read } from "../../api/client";
import { Command, Copy, Dialog, duration, Facts, Loading, Secret, Trouble, useLoad, when } from "../../ui";
import { local } from "./leases";

/** A user and its present password. */
interface Credential {
  username: string;
  password: string;
  ttl: number;
  last_vault_rotation: string;
}

/** The current credential of a static role: read when it is asked for, gone with the dialog. */
export function CredentialDialog({ engine, name, onClose }: { engine: string; name: string; onClose: () => void }): JSX.Element {
  const { data, error, reload } = useLoad((signal) => credentialOf(engine, name, signal), [engine, name]);
  const path = `${engine}/static-creds/${name}`;
  return (
    <Dialog title={`Credential of ${name}`} onClose={onClose}>
      {error && !data ? (
        <Trouble error={error} what="this credential" onRetry={reload} />
      ) : !data ? (
        <Loading />
      ) : (
        <div class="stack">
          <Facts
            facts={[
              [
                "User",
                <span class="row">
                  <code class="break">{data.username}</code>
                  <Copy text={data.username} label="Copy the user" />
                </span>,
              ],
              ["Password", <Secret value={data.password} label="the password" />],
              ["Good for", duration(data.ttl)],
              ["Rotated last", when(local(data.last_vault_rotation))],
            ]}
          />
          <Command cli={["read", path]} request={{ method: "GET", path }} />
        </div>
      )}
    </Dialog>
  );
}

/** Reads it. */
export const credentialOf = async (engine: string, name: string, signal?: AbortSignal): Promise<Credential> => (await read<Credential>(`${engine}/static-creds/${name}`, { signal })).data;
