// An engine that the server does not have (yet): its paths stand in the description that the page reads, and a small double answers
// for it. So the forms are proven for certificates, codes by time and signed keys before those engines are here; what they know of
// an engine is the description alone.
import { generateKeyPairSync, randomBytes } from "node:crypto";

const field = (type, description, more = {}) => ({ type, description, ...more });
const text = (description, more) => field("string", description, more);
const seconds = (description) => ({ type: "integer", format: "seconds", description, default: 0 });

/** The smallest picture there is: a PNG of one point. */
export const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=";

/** Mounts pki/, totp/ and ssh/ for this page alone; what was asked of them. */
export async function mountTomorrow({ page }) {
  const asked = [];
  const kept = { roles: {}, certs: {}, revoked: [], keys: {}, ssh: {}, issuer: null };
  await page.route("**/v1/sys/internal/specs/openapi", async (route) => {
    const answer = await route.fetch();
    const document = await answer.json();
    Object.assign(document.paths, PATHS);
    await route.fulfill({ response: answer, json: document });
  });
  await page.route("**/v1/sys/internal/ui/mounts", async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    for (const type of ["pki", "totp", "ssh"]) body.data.secret[`${type}/`] = { type, description: `${type} of tomorrow`, options: null };
    await route.fulfill({ response: answer, json: body });
  });
  await page.route(/\/v1\/(pki|totp|ssh)\//, async (route) => {
    const request = route.request();
    const url = new URL(request.url());
    const path = decodeURIComponent(url.pathname.slice("/v1/".length));
    const method = url.searchParams.get("list") ? "LIST" : request.method();
    const body = request.postData() ? request.postDataJSON() : {};
    asked.push({ method, path, body });
    if (url.searchParams.get("help")) return route.fulfill({ json: { help: "## DESCRIPTION\n\nAn engine of tomorrow.\n\n## PATHS\n" } });
    const answered = answer(kept, method, path, body);
    const json = answered.errors ? { errors: answered.errors } : { request_id: "r", lease_id: "", renewable: false, lease_duration: 0, data: answered.data, warnings: answered.warnings ?? null };
    await route.fulfill({ status: answered.status ?? 200, json });
  });
  return asked;
}

const certificate = () => `-----BEGIN CERTIFICATE-----\n${randomBytes(300).toString("base64").replace(/(.{64})/g, "$1\n")}\n-----END CERTIFICATE-----`;
const privateKey = () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" });
const serial = () => randomBytes(8).toString("hex").match(/../g).join(":");
const missing = { status: 404, errors: [] };

function answer(kept, method, path, body) {
  const [mount, first, ...more] = path.split("/");
  const name = more.join("/");
  const key = `${method} ${mount}/${first}`;
  const listed = (things) => (Object.keys(things).length ? { data: { keys: Object.keys(things) } } : missing);
  const entry = (things) => {
    if (method === "LIST") return listed(things);
    if (method === "GET") return things[name] ? { data: things[name] } : missing;
    if (method === "DELETE") return delete things[name], { data: null };
    things[name] = { ...things[name], ...body };
    return { data: null };
  };
  switch (key) {
    case "POST pki/root": {
      if (!body.common_name) return { status: 400, errors: ['field "common_name": must not be empty'] };
      kept.issuer = certificate();
      return { data: { certificate: kept.issuer, issuing_ca: kept.issuer, serial_number: serial(), expiration: 1_999_999_999, issuer_id: "i", key_id: "k" }, warnings: ["this mount has no configured URLs"] };
    }
    case "POST pki/issue": {
      if (!kept.roles[name]) return { status: 400, errors: [`unknown role: ${name}`] };
      const number = serial();
      kept.certs[number] = { certificate: certificate(), revocation_time: 0 };
      return { data: { certificate: kept.certs[number].certificate, ca_chain: [kept.issuer], issuing_ca: kept.issuer, private_key: privateKey(), private_key_type: "ec", serial_number: number, expiration: 1_999_999_999 } };
    }
    case "POST pki/revoke":
      kept.certs[body.serial_number].revocation_time = 1_888_888_888;
      return { data: { revocation_time: 1_888_888_888, state: "revoked" } };
    case "LIST pki/certs":
      return listed(kept.certs);
    case "GET pki/cert":
      return kept.certs[name] ? { data: kept.certs[name] } : missing;
    case "POST totp/keys":
      kept.keys[name] = { account_name: body.account_name, issuer: body.issuer, period: 30 };
      return { data: { barcode: PNG, url: `otpauth://totp/${name}?secret=VERYSECRETSEED` } };
    case "GET totp/code":
      return { data: { code: "123456" } };
    case "POST ssh/sign":
      return { data: { serial_number: serial(), signed_key: `ssh-ed25519-cert-v01@openssh.com ${randomBytes(200).toString("base64")}` } };
    default:
      if (first === "roles") return entry(mount === "ssh" ? kept.ssh : kept.roles);
      if (key.endsWith("totp/keys")) return entry(kept.keys);
      return missing;
  }
}

const param = (name, description) => ({ in: "path", name, required: true, description, schema: { type: "string" } });
const listing = (summary) => ({ summary, parameters: [{ in: "query", name: "list", required: true, schema: { type: "string", enum: ["true"] } }], responses: {} });
const taking = (summary, properties, required = []) => ({ summary, requestBody: { content: { "application/json": { schema: { type: "object", properties, required } } } }, responses: {} });
const doing = (summary) => ({ summary, responses: {} });

const ROLE = {
  allowed_domains: field("array", "Domains that certificates may name.", { items: { type: "string" }, default: [] }),
  allow_subdomains: field("boolean", "Names below them, too.", { default: false }),
  max_ttl: seconds("How long certificates live at most."),
  key_type: text("What keys are of.", { enum: ["rsa", "ec", "ed25519"], default: "rsa" }),
};
const PATHS = {
  "/pki/root/generate/{exported}": {
    description: "A root certificate.",
    parameters: [param("exported", "`internal`, `exported` or `existing`.")],
    post: taking("Makes a root certificate.", { common_name: text("The name in it."), ttl: seconds("How long it lives."), key_bits: field("integer", "Bits of its key.", { default: 0 }), key_type: text("What its key is of.", { enum: ["rsa", "ec"], default: "rsa" }) }, ["common_name"]),
  },
  "/pki/roles": { description: "The roles.", get: listing("Lists the roles.") },
  "/pki/roles/{name}": { description: "What certificates may be.", parameters: [param("name", "Name of the role.")], get: doing("Reads a role."), post: taking("Makes or changes a role.", ROLE), delete: doing("Deletes a role.") },
  "/pki/issue/{role}": {
    description: "A certificate and its key.",
    parameters: [param("role", "Name of the role.")],
    post: taking("Issues a certificate with a new key.", { common_name: text("The name in it."), alt_names: text("More names."), ttl: seconds("How long it lives."), old_names: text("The old name of alt_names.", { deprecated: true }) }, ["common_name"]),
  },
  "/pki/certs": { description: "The serial numbers of what was issued.", get: listing("Lists certificates.") },
  "/pki/cert/{serial}": { description: "A certificate.", parameters: [param("serial", "Its serial number.")], get: doing("Reads a certificate.") },
  "/pki/revoke": { description: "The end of a certificate.", post: taking("Revokes a certificate.", { serial_number: text("Its serial number.") }, ["serial_number"]) },
  "/totp/keys": { description: "The keys.", get: listing("Lists the keys.") },
  "/totp/keys/{name}": {
    description: "A key for codes by time.",
    parameters: [param("name", "Name of the key.")],
    get: doing("Reads a key."),
    post: taking("Makes a key.", { generate: field("boolean", "Whether it is made here.", { default: false }), account_name: text("Whose it is."), issuer: text("Who issued it.") }),
    delete: doing("Deletes a key."),
  },
  "/totp/code/{name}": { description: "A code.", parameters: [param("name", "Name of the key.")], get: doing("Gives the code of this moment.") },
  "/ssh/roles": { description: "The roles.", get: listing("Lists the roles.") },
  "/ssh/roles/{role}": { description: "What may be signed.", parameters: [param("role", "Name of the role.")], get: doing("Reads a role."), post: taking("Makes a role.", { key_type: text("How it works.", { enum: ["ca", "otp"] }), allowed_users: text("Who may sign in.") }), delete: doing("Deletes a role.") },
  "/ssh/sign/{role}": { description: "A signed key.", parameters: [param("role", "Name of the role.")], post: taking("Signs a public key.", { public_key: text("The key.") }, ["public_key"]) },
};
