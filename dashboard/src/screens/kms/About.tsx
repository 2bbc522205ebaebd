import type { JSX } from "preact";
import { read } from "../../api/client";
import type { May } from "../../session/may";
import { Card, Code, Command, Copy, Facts, useLoad, when } from "../../ui";
import { Aliases } from "./Aliases";
import { Describe } from "./Describe";
import { keyWord, mountFlag, type MasterKey } from "./kms";
import { Life } from "./Life";
import { Tags } from "./Tags";

interface Given {
  mount: string;
  name: string;
  at: MasterKey;
  may: May;
  onChange: () => void;
}

/** What a key is, its names, and what becomes of it. */
export function About(given: Given): JSX.Element {
  const { mount, name, at } = given;
  return (
    <>
      <div class="halves">
        <Card title="The key">
          <Facts
            facts={[
              [
                "Id",
                <span class="row">
                  <code class="break">{at.key_id}</code>
                  <Copy text={at.key_id} label="Copy the id" />
                </span>,
              ],
              ["Made", when(at.creation_date)],
              ["Material", at.origin === "EXTERNAL" ? "imported" : "made in the server"],
              ["Material ends", at.valid_to && when(at.valid_to)],
              ["Deleted on", at.deletion_date && when(at.deletion_date)],
              ["Algorithms", [...(at.encryption_algorithms ?? []), ...(at.signing_algorithms ?? []), ...(at.mac_algorithms ?? [])].join(", ")],
            ]}
          />
          <Describe key={at.description} {...given} />
        </Card>
        <Aliases {...given} />
      </div>
      {/^(RSA|ECC|ML)/.test(at.key_spec) && <PublicKey mount={mount} name={name} />}
      <div class="halves">
        <Tags {...given} />
        <Life {...given} />
      </div>
      <Command cli={["kms", "describe", ...mountFlag(mount), `-key=${keyWord(name)}`]} request={{ method: "GET", path: `${mount}/keys/${name}` }} />
    </>
  );
}

/** The public half of a pair, as it can be given to everybody. */
function PublicKey({ mount, name }: { mount: string; name: string }): JSX.Element | null {
  const { data } = useLoad(async (signal) => (await read<{ public_key: string }>(`${mount}/keys/${name}/public-key`, { signal })).data.public_key, [mount, name]);
  if (!data) return null;
  const pem = `-----BEGIN PUBLIC KEY-----\n${data.replace(/(.{64})/g, "$1\n").trim()}\n-----END PUBLIC KEY-----`;
  return (
    <Card title="Public key">
      <Code text={pem} label="Copy the public key" />
    </Card>
  );
}
