import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { missing } from "../../session/may";
import { Button, Check, Field, operands, Select } from "../../ui";
import { base64Of } from "../keys/bytes";
import { BytesField } from "../keys/BytesField";
import { Outcome } from "../keys/Outcome";
import { Try } from "../keys/Try";
import { Verdict } from "../keys/Verdict";
import type { Part } from "./bench";
import { Binding, bindingOf, bindingWords, bindingWrong } from "./Binding";
import { choosesHash, HASHES, mountFlag, versionOf } from "./transit";

/** How it is signed, as far as the key's type leaves a choice. */
interface How {
  hash: string;
  prehashed: boolean;
  padding: "pss" | "pkcs1v15";
  form: "asn1" | "jws";
}

/** Signs, and verifies what was signed. */
export function Sign(part: Part): JSX.Element {
  const [how, setHow] = useState<How>({ hash: "sha2-256", prehashed: false, padding: "pss", form: "asn1" });
  const given = { part, how, onHow: (change: Partial<How>) => setHow((last) => ({ ...last, ...change })) };
  return (
    <div class="pair">
      <Signing {...given} />
      <Verification {...given} />
    </div>
  );
}

interface Given {
  part: Part;
  how: How;
  onHow: (change: Partial<How>) => void;
}

function Signing({ part, how, onHow }: Given): JSX.Element {
  const { mount, name, at, bench, onBench, may } = part;
  const path = `${mount}/sign/${name}`;
  const { base64, wrong } = base64Of(bench.input);
  const { flags, fields } = wordsOf(part, how);
  const binding = bindingWords(part, true);
  return (
    <Try
      title="Sign"
      verb="Sign"
      inputs={[bench.input, bench.context, how, at?.latest]}
      because={missing(may, path, "update") || wrong || bindingWrong(part)}
      run={async () => (await write<{ signature: string; public_key?: string }>(path, { input: base64, ...fields, ...bindingOf(part, true) })).data}
      outcome={({ signature, public_key }) => (
        <>
          <Outcome label="Signature" text={signature}>
            <Button size="small" onClick={() => onBench({ signature })}>
              Verify this
            </Button>
          </Outcome>
          {public_key && <Outcome label="Public key of this context" text={public_key} />}
        </>
      )}
      command={{ cli: ["transit", "sign", ...mountFlag(mount), ...flags, ...binding.flags, ...operands(name, "@message.txt")], request: { method: "POST", path, body: { input: "…", ...fields, ...binding.body } } }}
    >
      <BytesField label="Message" long value={bench.input} onInput={(input) => onBench({ input })} />
      <Choices part={part} how={how} onHow={onHow} />
      <Binding {...part} withoutData />
    </Try>
  );
}

function Verification({ part, how, onHow }: Given): JSX.Element {
  const { mount, name, bench, onBench, may } = part;
  const path = `${mount}/verify/${name}`;
  const { base64, wrong } = base64Of(bench.input);
  const { flags, fields } = wordsOf(part, how);
  const binding = bindingWords(part, true);
  const version = versionOf(bench.signature);
  return (
    <Try
      title="Verify"
      verb="Verify"
      inputs={[bench.input, bench.signature, bench.context, how]}
      because={missing(may, path, "update") || (!bench.signature.trim() && "A signature is needed") || wrong || bindingWrong(part)}
      run={async () => (await write<{ valid: boolean }>(path, { input: base64, signature: bench.signature.trim(), ...fields, ...bindingOf(part, true) })).data.valid}
      outcome={(valid) => <Verdict valid={valid} what="signature" />}
      command={{ cli: ["transit", "verify", ...mountFlag(mount), ...flags, ...binding.flags, "-signature=@message.sig", ...operands(name, "@message.txt")], request: { method: "POST", path, body: { input: "…", signature: "…", ...fields, ...binding.body } } }}
    >
      <BytesField label="Message" long value={bench.input} onInput={(input) => onBench({ input })} />
      <Field label="Signature" type="textarea" rows={3} mono value={bench.signature} onInput={(signature) => onBench({ signature })} hint={version ? `Made by version ${version}.` : "As it was given: vault:v1:…"} />
      <Choices part={part} how={how} onHow={onHow} />
      <Binding {...part} withoutData />
    </Try>
  );
}

function Choices({ part: { at }, how, onHow }: Given): JSX.Element | null {
  if (at && !choosesHash(at.type)) return null;
  return (
    <>
      <div class="grid">
        <Select label="Hash" value={how.hash} onInput={(hash) => onHow({ hash })} options={HASHES} />
        {(!at || at.type.startsWith("rsa")) && <Select label="Signature algorithm" value={how.padding} onInput={(padding) => onHow({ padding: padding as How["padding"] })} options={["pss", "pkcs1v15"]} />}
        {(!at || at.type.startsWith("ecdsa")) && (
          <Select
            label="Form"
            value={how.form}
            onInput={(form) => onHow({ form: form as How["form"] })}
            options={[
              { value: "asn1", label: "ASN.1 (OpenSSL, X.509)" },
              { value: "jws", label: "JWS (JWTs)" },
            ]}
          />
        )}
      </div>
      <Check label="The message is a digest already" hint="its bytes, as base64" checked={how.prehashed} onInput={(prehashed) => onHow({ prehashed })} />
    </>
  );
}

/** What differs from what is usual, as the command line and the API say it. */
function wordsOf({ at }: Part, { hash, prehashed, padding, form }: How): { flags: string[]; fields: Record<string, string | boolean> } {
  if (at && !choosesHash(at.type)) return { flags: [], fields: {} };
  const flags: string[] = [];
  const fields: Record<string, string | boolean> = {};
  const add = (name: string, value: string | boolean) => {
    fields[name] = value;
    flags.push(value === true ? `-${name}` : `-${name.replaceAll("_", "-")}=${value}`);
  };
  if (hash !== "sha2-256") add("hash_algorithm", hash);
  if (prehashed) add("prehashed", true);
  if (padding !== "pss" && (!at || at.type.startsWith("rsa"))) add("signature_algorithm", padding);
  if (form !== "asn1" && (!at || at.type.startsWith("ecdsa"))) add("marshaling_algorithm", form);
  return { flags, fields };
}
