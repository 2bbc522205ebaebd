import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { read, remove, write } from "../../api/client";
import { Button, Card, Command, Dialog, Note, Secret, sentence, toast, useLoad } from "../../ui";
import { Shares } from "./Rekey";

interface Attempt {
  started: boolean;
  nonce: string;
  progress: number;
  required: number;
  complete: boolean;
  encoded_token?: string;
  otp?: string;
}
const PATH = "sys/generate-root";
const EVERY_MS = 3_000;

/** A new root token out of enough key shares, for when there is none. No policy is asked: who holds the shares decides. */
export function GenerateRoot(): JSX.Element {
  const { data, error, reload } = useLoad(async (signal) => (await read<Attempt>(`${PATH}/attempt`, { namespace: "", signal })).data, [], EVERY_MS);
  // The one-time password is given to whoever begins the attempt, and to nobody else.
  const [mine, setMine] = useState<{ nonce: string; otp: string } | null>(null);
  const [token, setToken] = useState<string | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const begin = async () => {
    setWrong(null);
    try {
      const { data } = await write<Attempt>(`${PATH}/attempt`, {}, { namespace: "" });
      setMine({ nonce: data.nonce, otp: data.otp ?? "" });
      reload();
    } catch (reason) {
      setWrong(sentence(reason instanceof Error ? reason.message : String(reason)));
    }
  };
  const give = async (key: string) => {
    const { data: said } = await write<Attempt>(`${PATH}/update`, { key, nonce: data!.nonce }, { namespace: "" });
    if (said.complete && said.encoded_token) {
      if (mine?.nonce === said.nonce) setToken(decoded(said.encoded_token, mine.otp));
      else toast("The attempt is complete. Whoever began it has the password that decodes the token.", "info");
    }
    reload();
  };
  const cancel = async () => {
    await remove(`${PATH}/attempt`, { namespace: "", body: { nonce: data!.nonce } });
    setMine(null);
    reload();
  };
  return (
    <Card title="A new root token">
      <div class="stack">
        <p>Root tokens are for setting up and for emergencies. Holders of enough key shares can make one together when there is none; revoke it afterwards.</p>
        {error && !data ? <Note tone="warn">{error instanceof Error ? sentence(error.message) : String(error)}</Note> : null}
        {wrong && <Note tone="bad">{wrong}</Note>}
        {data && !data.started && (
          <div class="row end">
            <Button onClick={begin}>
              Begin
            </Button>
          </div>
        )}
        {data?.started && (
          <Shares
            label="Key share"
            lead={mine?.nonce === data.nonce ? "Begun here: the token is shown on this page once enough shares were given. Do not leave it meanwhile." : "Begun elsewhere: only whoever began it can decode the token."}
            given={data.progress}
            needed={data.required}
            give={give}
            cancel={cancel}
          />
        )}
        <Command cli={["operator", "generate-root", "-init"]} request={{ method: "POST", path: `${PATH}/attempt` }} />
      </div>
      {token && (
        <Dialog title="The new root token" onClose={() => setToken(null)} stays>
          <div class="stack">
            <Note tone="warn">It may do everything, and it is shown this once.</Note>
            <Secret value={token} label="the root token" />
            <div class="actions">
              <Button kind="primary" onClick={() => setToken(null)}>
                I have it
              </Button>
            </div>
          </div>
        </Dialog>
      )}
    </Card>
  );
}

/** Takes the one-time password off: both are combined by exclusive or, and the result is text. */
function decoded(encoded: string, otp: string): string {
  const bytes = atob(encoded.replace(/=+$/, ""));
  return Array.from(bytes, (letter, index) => String.fromCharCode(letter.charCodeAt(0) ^ otp.charCodeAt(index))).join("");
}
