import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, type Answer, type Auth, type MfaRequirement } from "../../api/client";
import { ended, namespace, signIn, signInWith } from "../../session";
import { signInAtProvider } from "../../session/oidc";
import { Door } from "../../shell/Door";
import { Button, Command, Field, Icon, Note, Select, useLoad, useSettled } from "../../ui";
import { KINDS, listed, login, type Entered, type Method } from "./methods";
import { refusalWords } from "./refusal";
import { SecondFactor } from "./SecondFactor";

const TOKEN: Method = { type: "token", mount: "", description: "" };
/** How long somebody is taken to be still typing a namespace. */
const TYPING_MS = 300;

/** Signing in: by a token, or by a method that the server has. */
export function SignIn(): JSX.Element {
  const [space, setSpace] = useState(namespace.value.replace(/\/$/, ""));
  const [chosen, choose] = useState("");
  const [other, setOther] = useState<Method>({ type: "userpass", mount: "userpass", description: "" });
  const [factor, setFactor] = useState<MfaRequirement | null>(null);
  const inNamespace = space.trim().replace(/^\/+|\/+$/g, "");
  const here = inNamespace ? `${inNamespace}/` : "";
  const asked = useSettled(here, TYPING_MS);
  const methods = useLoad((signal) => listed(asked, signal), [asked]);
  // While another namespace is asked, the last answer stands.
  const last = useRef<Method[] | null>(null);
  if (methods.data || methods.error) last.current = methods.data ?? [];
  const known = last.current ?? [];
  const unknown = asked === here && methods.error instanceof ApiError && methods.error.isDenied;
  const current = chosen || (known[0] ? `at:${known[0].mount}` : "token");
  const method = current === "token" ? TOKEN : current === "other" ? other : (known.find(({ mount }) => `at:${mount}` === current) ?? TOKEN);
  const finish = async (auth: Auth | null) => {
    if (auth?.mfa_requirement) return setFactor(auth.mfa_requirement);
    if (!auth?.client_token) throw new Error("The server gave no token.");
    await signInWith(auth, here);
  };
  return (
    <Door>
      <div class="stack wide">
        <div>
          <h1>Sign in</h1>
          <p class="muted">Your token is kept in the memory of this page alone.</p>
        </div>
        {ended.value && <Note tone="warn">{ended.value}</Note>}
        {factor ? (
          <SecondFactor wanted={factor} namespace={here} onDone={finish} onBack={() => setFactor(null)} />
        ) : (
          <>
            <div class="stack tight">
              <Select
                label="Method"
                value={current}
                onInput={choose}
                options={[
                  ...known.map(({ type, mount, description }) => ({ value: `at:${mount}`, label: `${KINDS[type]} (${mount})${description ? `: ${description}` : ""}` })),
                  { value: "token", label: "Token" },
                  { value: "other", label: "Another method …" },
                ]}
              />
              {current === "other" && <Other method={other} onChange={setOther} />}
            </div>
            {/* Not before it is known what is offered first: a form that is put in another's place would take the focus with it. */}
            {last.current ? <Form key={`${current} ${method.type}`} method={method} namespace={here} onAuth={finish} /> : <div class="to-come" />}
            <details class="command" open={here !== ""}>
              <summary>
                <Icon name="chevron" class="chevron" size={12} />
                <Icon name="space" />
                Namespace: {inNamespace || "root"}
              </summary>
              <div class="stack tight">
                <Field label="Namespace" bare value={space} onInput={setSpace} placeholder="root, or a path like team/shop" hint="Where the method is mounted. For tokens it does not matter." wrong={unknown && `There is no namespace ${inNamespace}, or it is locked. Look how it is spelt.`} />
              </div>
            </details>
            <Command {...commandOf(method)} />
          </>
        )}
      </div>
    </Door>
  );
}

function Other({ method, onChange }: { method: Method; onChange: (method: Method) => void }): JSX.Element {
  const kinds = Object.entries(KINDS).filter(([type]) => type !== "token");
  return (
    <>
      <Select label="Kind" value={method.type} onInput={(type) => onChange({ type, mount: type, description: "" })} options={kinds.map(([value, label]) => ({ value, label }))} />
      <Field label="Mounted at" value={method.mount} onInput={(mount) => onChange({ ...method, mount: mount.replace(/^\/+|\/+$/g, "") })} mono hint="The path under auth/." />
    </>
  );
}

interface FormProps {
  method: Method;
  namespace: string;
  onAuth: (auth: Auth | null) => Promise<void> | void;
}

function Form({ method, namespace: space, onAuth }: FormProps): JSX.Element {
  const [entered, setEntered] = useState<Entered>({});
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const ending = useRef(new AbortController());
  useEffect(() => () => ending.current.abort(), []);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setError(null);
    setBusy(true);
    try {
      if (method.type === "token") {
        await signIn((entered.token ?? "").trim(), space);
        return;
      }
      const answer: Answer<unknown> =
        method.type === "oidc" ? await signInAtProvider(method.mount, (entered.role ?? "").trim(), space, ending.current.signal) : await login(method, entered, space);
      await onAuth(answer.auth);
    } catch (reason) {
      if (reason instanceof DOMException && reason.name === "AbortError") return;
      setError(refusalWords(reason, method, space));
    } finally {
      setBusy(false);
    }
  };
  const field = (name: string, label: string, more: Partial<Parameters<typeof Field>[0]> = {}) => (
    <Field label={label} name={name} value={entered[name] ?? ""} onInput={(value) => setEntered((last) => ({ ...last, [name]: value }))} required {...more} />
  );
  return (
    <form class="stack" onSubmit={submit} aria-label="Sign in">
      {fields(method, field)}
      {error && <Note tone="bad">{error}</Note>}
      <Button type="submit" kind="primary" block busy={busy}>
        {method.type === "oidc" ? "Sign in at the provider" : "Sign in"}
      </Button>
      {busy && method.type === "oidc" && (
        <p class="muted small" role="status">
          Waiting for the provider's window. <button type="button" class="link" onClick={() => ending.current.abort()}>Give up</button>
        </p>
      )}
    </form>
  );
}

type Make = (name: string, label: string, more?: Partial<Parameters<typeof Field>[0]>) => JSX.Element;

function fields({ type }: Method, field: Make): JSX.Element {
  switch (type) {
    case "token":
      return field("token", "Token", { type: "password", autoFocus: true, mono: true });
    case "approle":
      return (
        <>
          {field("role_id", "Role ID", { autoFocus: true, mono: true })}
          {field("secret_id", "Secret ID", { type: "password", mono: true, required: false })}
        </>
      );
    case "oidc":
      return field("role", "Role", { required: false, autoFocus: true, hint: "Empty for the default role." });
    case "jwt":
      return (
        <>
          {field("role", "Role", { required: false, autoFocus: true, hint: "Empty for the default role." })}
          {field("jwt", "Signed token (JWT)", { type: "textarea", mono: true })}
        </>
      );
    default:
      return (
        <>
          {field("username", "Username", { autoFocus: true, autoComplete: "username" })}
          {field("password", "Password", { type: "password", autoComplete: "current-password" })}
        </>
      );
  }
}

function commandOf({ type, mount }: Method): Parameters<typeof Command>[0] {
  const at = mount && mount !== type ? [`-path=${mount}`] : [];
  switch (type) {
    case "token":
      return { cli: ["login"], request: { method: "GET", path: "auth/token/lookup-self" } };
    case "approle":
      return { cli: ["write", `auth/${mount}/login`, "role_id=…", "secret_id=…"], request: { method: "POST", path: `auth/${mount}/login`, body: { role_id: "…", secret_id: "…" } } };
    case "jwt":
      return { cli: ["write", `auth/${mount}/login`, "role=…", "jwt=…"], request: { method: "POST", path: `auth/${mount}/login`, body: { role: "…", jwt: "…" } } };
    case "oidc":
      return { cli: ["login", "-method=oidc", ...at], request: { method: "POST", path: `auth/${mount}/oidc/auth_url`, body: { role: "…", redirect_uri: "…" } } };
    default:
      return { cli: ["login", `-method=${type}`, ...at, "username=…"], request: { method: "POST", path: `auth/${mount}/login/…`, body: { password: "…" } } };
  }
}
