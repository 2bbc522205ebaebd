import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { missing, type May } from "../../session/may";
import { Badge, Button, Card, Code, Command, Confirm, duration, Facts, operands, Select, Table, toast, when } from "../../ui";
import { mountFlag, type Key, type Version } from "./transit";

const SHOWN_AT_ONCE = 50;

/** What a key is, and its versions. */
export function About({ mount, at, may, onChange }: { mount: string; at: Key; may: May; onChange: () => void }): JSX.Element {
  const [rotating, setRotating] = useState(false);
  const [many, setMany] = useState(SHOWN_AT_ONCE);
  const path = `${mount}/keys/${at.name}`;
  const request = rotating ? ({ method: "POST", path: `${path}/rotate` } as const) : ({ method: "GET", path } as const);
  return (
    <>
      <div class="halves">
        <Card title="The key">
          <Facts
            facts={[
              ["Type", at.type + (at.size ? `, ${at.size} bytes` : "")],
              ["Can", [at.encrypts && "encrypt", at.signs && "sign", "make HMACs"].filter(Boolean).join(", ")],
              ["Derived", at.derived && (at.convergent ? "yes; equal texts become equal ciphertexts" : "yes, a key of its own for each context")],
              ["Rotated", at.autoRotate ? `by itself every ${duration(at.autoRotate)}` : "by hand"],
              [at.signs && !at.encrypts ? "Verifies" : at.signs ? "Decrypts and verifies" : "Decrypts", !at.encrypts && !at.signs ? null : `from version ${at.minDecryption} on`],
              [at.signs && !at.encrypts ? "Signs" : at.signs ? "Encrypts and signs" : "Encrypts", !at.encrypts && !at.signs ? null : at.minEncryption ? `from version ${at.minEncryption} on` : "with the latest version, or an older one that is asked for"],
              ["Leaves the server", at.exportable ? "yes, it is exportable" : "no"],
              ["Backups in plaintext", at.plaintextBackup && "allowed"],
              ["Imported", at.imported && "yes"],
              ["Can be deleted", at.deletionAllowed ? "yes" : "no"],
            ]}
          />
        </Card>
        <Card
          flush
          title="Versions"
          actions={
            <Button icon="refresh" because={missing(may, `${path}/rotate`, "update") || (at.softDeleted && "It is out of use")} onClick={() => setRotating(true)}>
              Rotate
            </Button>
          }
        >
          {at.versions.length === 0 ? (
            <p class="more-foot muted small">The latest version is {at.latest}; for keys of this type the server tells no more.</p>
          ) : (
            <Table
              label="Versions"
              rows={at.versions.slice(0, many)}
              rowKey={({ number }) => String(number)}
              columns={[
                { head: "Version", cell: ({ number }) => number },
                { head: "Made", cell: ({ created }) => when(created) },
                { head: "State", cell: (version) => <State of={version} at={at} /> },
              ]}
            />
          )}
          {at.versions.length > many && (
            <div class="more-foot row">
              <Button size="small" onClick={() => setMany(many + SHOWN_AT_ONCE)}>
                Show more
              </Button>
              <span class="muted small">
                {many} of {at.versions.length.toLocaleString()}
              </span>
            </div>
          )}
        </Card>
      </div>
      <PublicKey versions={at.versions.filter(({ publicKey }) => publicKey)} />
      <Command cli={["transit", "keys", rotating ? "rotate" : "read", ...mountFlag(mount), ...operands(at.name)]} request={request} />
      {rotating && (
        <Confirm
          title={`Rotate ${at.name}?`}
          verb="Rotate"
          onClose={() => setRotating(false)}
          onConfirm={async () => {
            await write(`${path}/rotate`);
            toast(`The latest version is ${at.latest + 1} now`);
            onChange();
          }}
        >
          Version {at.latest + 1} encrypts and signs from then on. Older versions go on decrypting and verifying what they made.
        </Confirm>
      )}
    </>
  );
}

function State({ of: { number }, at }: { of: Version; at: Key }): JSX.Element {
  if (number === at.latest) return <Badge tone="good">latest</Badge>;
  if (number < at.minDecryption) return <Badge tone="warn">refused</Badge>;
  return <Badge>{at.signs && !at.encrypts ? "verifies" : "decrypts"}</Badge>;
}

/** The public half of a pair, as it can be given to everybody. */
function PublicKey({ versions }: { versions: Version[] }): JSX.Element | null {
  const [chosen, setChosen] = useState<string | null>(null);
  const version = versions.find(({ number }) => String(number) === chosen) ?? versions[0];
  if (!version) return null;
  return (
    <Card
      title="Public key"
      actions={versions.length > 1 && <Select label="Version" bare value={String(version.number)} onInput={setChosen} options={versions.slice(0, 200).map(({ number }) => ({ value: String(number), label: `Version ${number}` }))} />}
    >
      <div class="stack tight">
        <Code text={version.publicKey.trim()} label="Copy the public key" />
        {version.certificate && (
          <>
            <strong class="small">Certificates</strong>
            <Code text={version.certificate.trim()} label="Copy the certificates" />
          </>
        )}
      </div>
    </Card>
  );
}
