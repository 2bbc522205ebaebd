/** A word for a secret at the end of a name, or before what is only another form of it. */
const SECRET = /(^|_)(password|passwd|passphrase|secrets?|bindpass|private_key|secret_key|secret_access_key|token|credentials?|otp|unseal_key|recovery_key|unlock_key|tls_key|hmac_key|plaintext|backup|shares?|jwt|seed)(_(hash|plaintext|base64|value|text))?$/;
/** What is said about a secret rather than being one. */
const ABOUT = /^(token|num|max|enable|allow|allowed|disable|use|bound|require|default|no|verify)_|^(secret|recovery|stored)_shares$/;
const ALWAYS = /^(key|secret_id|recovery_keys|recovery_keys_base64|keys_base64|encoded_token|token_reviewer_jwt)$/;
const LOOKS_SECRET = /^hv[sbr]\.|^otpauth:\/\/|-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/** Whether a field of that name holds a secret. */
export const isSecretName = (name: string): boolean => ALWAYS.test(name) || (SECRET.test(name) && !ABOUT.test(name));

const PUBLIC = /^-----BEGIN (PUBLIC KEY|CERTIFICATE)|^ssh-/;

/** Whether what is in a group of values is hidden whatever its names are: exported keys, shares of a key, the secret itself. */
export const coversAll = (name: string, value: unknown): boolean => name === "data" || (name === "keys" && typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "string" && !PUBLIC.test(one)));

/** Whether a value is to be hidden until somebody asks for it: by its name, or by what it looks like. */
export const isSecret = (name: string, value: string): boolean => isSecretName(name) || LOOKS_SECRET.test(value);
