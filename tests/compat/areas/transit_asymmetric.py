"""Transit: keys with two halves. Signatures, export, keys that come in and leave wrapped, backups, certificates."""

AT = "transit"
MESSAGE = "bWVzc2FnZQ=="
DIGEST = "q1MKE+RZFJgrefm34/uplM/R8/si9xzqGvvwK0YMbR0="  # SHA-256 of "message"
CONTEXT = "Y29udGV4dA=="
KINDS = ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-2048", "mldsa-44", "mldsa-65", "mldsa-87"]
MU = "A" * 85 + "Q=="  # 64 bytes
OTHERS = ["aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305", "hmac"]
HASHES = ["sha1", "sha2-224", "sha2-256", "sha2-384", "sha2-512", "sha3-224", "sha3-256", "sha3-384", "sha3-512"]
PARTS = ["encryption-key", "signing-key", "hmac-key", "public-key", "certificate-chain"]
NO_PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"


def steps(step):
    return [*keys(step), *signing(step), *wrong_signing(step), *external_mu(step), *verifying(step), *batches(step), *contexts(step), *versions(step), *exporting(step), *backups(step),
            *importing(step), *public_halves(step), *public_halves_of_ml_dsa(step), *agreements(step), *wrapped_exports(step), *requests(step), *chains(step), *soft_deleted(step), *rights(step)]


def keys(step):
    made = [step(f"make {kind}", f"POST {AT}/keys/x-{kind}", {"type": kind, "exportable": True, "allow_plaintext_backup": True, **({"key_size": 32} if kind == "hmac" else {})}) for kind in [*KINDS, *OTHERS]]
    return [*made, step("make derived", f"POST {AT}/keys/x-derived", {"type": "ed25519", "derived": True, "exportable": True}),
            step("make kept", f"POST {AT}/keys/x-kept", {"type": "ed25519"})]


def signs(step, name, kind, body, path="", **more):
    """A signature, whose length is compared where it is fixed."""
    return step(name, f"POST {AT}/sign/x-{kind}{path}", {"input": MESSAGE, **body}, shape_only=kind.startswith("ecdsa"), **more)


def signing(step):
    return [
        *[signs(step, f"sign {kind} {body}", kind, body) for kind in KINDS for body in [
            {}, {"input": ""}, {"marshaling_algorithm": "jws"}, {"marshaling_algorithm": "asn1"}, {"signature_algorithm": "pkcs1v15"}, {"signature_algorithm": "pss"},
            {"salt_length": "hash"}, {"salt_length": "auto"}, {"salt_length": 20}, {"salt_length": "20"}, {"salt_length": 0}, {"salt_length": -1}, {"prehashed": True, "input": DIGEST},
            {"key_version": 1}, {"key_version": "1"}, {"context": CONTEXT}, {"context": "?"}, {"algorithm": "sha2-512"}, {"hash_algorithm": "sha2-512", "algorithm": "x"},
            {"hash_algorithm": "none", "prehashed": True, "signature_algorithm": "pkcs1v15"}, {"colour": "red"}]],
        *[signs(step, f"sign {kind} by {hash} {padding}", kind, {"hash_algorithm": hash, "signature_algorithm": padding}) for kind in ["rsa-2048", "ecdsa-p256"] for hash in HASHES for padding in ["pss", "pkcs1v15"]],
        *[signs(step, f"sign {kind} by path {hash}", kind, {}, f"/{hash}") for kind in ["rsa-2048", "ed25519", "mldsa-44"] for hash in HASHES],
        signs(step, "sign by path and body", "rsa-2048", {"hash_algorithm": "sha2-256"}, "/sha2-512", save={"by_path": "data.signature"}),
        step("the path wins", f"POST {AT}/verify/x-rsa-2048", {"input": MESSAGE, "signature": "$by_path", "hash_algorithm": "sha2-512"}),
        step("the body does not", f"POST {AT}/verify/x-rsa-2048", {"input": MESSAGE, "signature": "$by_path", "hash_algorithm": "sha2-256"}),
    ]


def wrong_signing(step):
    wrong = [{"input": "?"}, {"input": 5}, {"hash_algorithm": "x"}, {"hash_algorithm": "none"}, {"hash_algorithm": "none", "prehashed": True}, {"signature_algorithm": "x"}, {"marshaling_algorithm": "x"},
             {"salt_length": "max"}, {"salt_length": -5}, {"salt_length": "x"}, {"salt_length": None}, {"salt_length": 223}, {"salt_length": 10**9}, {"key_version": 9}, {"key_version": -1}, {"key_version": "x"},
             {"prehashed": "x"}, {"prehashed": True}, {"batch_input": []}, {"batch_input": "x"}, {"batch_input": [1]}, {"batch_input": {}}]
    return [
        *[signs(step, f"wrongly sign {kind} {body}", kind, body) for kind in ["rsa-2048", "ed25519", "ecdsa-p256", "mldsa-44"] for body in wrong],
        *[step(f"sign with {name}", f"POST {AT}/sign/{name}", {"input": MESSAGE}) for name in ["x-aes256-gcm96", "x-hmac", "absent", "a%20b"]],
        step("sign by an unknown hash in the path", f"POST {AT}/sign/x-rsa-2048/x", {"input": MESSAGE}),
        step("sign by reading", f"GET {AT}/sign/x-rsa-2048"),
        step("list signatures", f"LIST {AT}/sign"),
    ]


def external_mu(step):
    """What of an ML-DSA signature can be computed elsewhere."""
    sign = lambda name, body, kind="mldsa-65", path="": step(name, f"POST {AT}/sign/x-{kind}{path}", {"input": MU, **body})
    mu = {"hash_algorithm": "mldsa-mu"}
    return [
        sign("sign a mu", {**mu, "prehashed": True}),
        sign("sign a mu by the path", {"prehashed": True}, path="/mldsa-mu"),
        sign("sign many mus", {**mu, "prehashed": True, "batch_input": [{"input": MU}, {"input": MESSAGE}, {}]}),
        sign("sign a mu that is none", {**mu, "prehashed": True, "input": MESSAGE}),
        sign("sign a mu that is a message", mu),
        *[sign(f"sign a mu with {kind}", {**mu, "prehashed": True}, kind) for kind in ["ed25519", "ecdsa-p256", "rsa-2048", "aes256-gcm96", "hmac"]],
        *[step(f"verify a mu with {kind}", f"POST {AT}/verify/x-{kind}", {"input": MU, **mu, "prehashed": True, "signature": "vault:v1:AAAA"}) for kind in ["mldsa-65", "ed25519", "aes256-gcm96"]],
        step("verify a mu by the path", f"POST {AT}/verify/x-mldsa-65/mldsa-mu", {"input": MU, "signature": "vault:v1:AAAA"}),
        step("verify a code of a mu", f"POST {AT}/verify/x-mldsa-65/mldsa-mu", {"input": MU, "hmac": "vault:v1:AAAA"}),
        step("code of a mu", f"POST {AT}/hmac/x-mldsa-65/mldsa-mu", {"input": MU}),
        step("code by such a key", f"POST {AT}/hmac/x-mldsa-65", {"input": MESSAGE}, save={"mldsa_code": "data.hmac"}),
        step("verify a code by such a key", f"POST {AT}/verify/x-mldsa-65", {"input": MESSAGE, "hmac": "$mldsa_code"}),
    ]


def verifying(step):
    made = [signs(step, f"signature of {kind}", kind, {}, save={kind.replace("-", "_"): "data.signature"}) for kind in KINDS]
    made += [signs(step, f"signature in jws of {kind}", kind, {"marshaling_algorithm": "jws"}, save={f"{kind.replace('-', '_')}_jws": "data.signature"}) for kind in KINDS]
    check = lambda name, kind, body: step(name, f"POST {AT}/verify/x-{kind}", body)
    odd = ["", "x", "vault:v1", "vault:v1:", "vault:v1:??", "vault:v1:AAAA", "vault:v0:AAAA", "vault:v9:AAAA", "vault:vx:AAAA", "vault:v-1:AAAA", "vault:v99999999999:AAAA", "bao:v1:AAAA", 7]
    return [
        *made,
        *[check(f"verify {kind} {body}", kind, {"input": MESSAGE, "signature": f"${kind.replace('-', '_')}", **body}) for kind in KINDS for body in [
            {}, {"input": DIGEST}, {"input": "?"}, {"hash_algorithm": "sha2-512"}, {"hash_algorithm": "x"}, {"signature_algorithm": "pkcs1v15"}, {"signature_algorithm": "x"}, {"salt_length": "hash"}, {"salt_length": "x"},
            {"prehashed": True, "input": DIGEST}, {"context": CONTEXT}, {"hmac": "x"}]],
        *[check(f"verify jws {kind}", kind, {"input": MESSAGE, "signature": f"${kind.replace('-', '_')}_jws", "marshaling_algorithm": "jws"}) for kind in KINDS],
        *[check(f"verify {signature!r} of {kind}", kind, {"input": MESSAGE, "signature": signature}) for kind in ["ed25519", "rsa-2048", "mldsa-44"] for signature in odd],
        *[check(f"verify {signature!r} of ecdsa", "ecdsa-p256", {"input": MESSAGE, "signature": signature}) for signature in odd if signature != "vault:v1:"],
        check("verify nothing", "ed25519", {"input": MESSAGE}),
        check("verify a signature of a cipher", "aes256-gcm96", {"input": MESSAGE, "signature": "vault:v1:AAAA"}),
        check("verify a signature of a code's key", "hmac", {"input": MESSAGE, "signature": "vault:v1:AAAA"}),
        step("verify with nobody", f"POST {AT}/verify/absent", {"input": MESSAGE, "signature": "vault:v1:AAAA"}),
    ]


def batches(step):
    item = {"input": MESSAGE}
    return [
        step("sign many", f"POST {AT}/sign/x-ed25519", {"batch_input": [item, {"input": "?"}, {}, {"input": MESSAGE, "reference": "r"}, {"input": MESSAGE, "reference": 5}, {"input": 5}, {"input": MESSAGE, "key_version": 7}]}),
        step("sign many by ML-DSA", f"POST {AT}/sign/x-mldsa-44", {"batch_input": [item, {"input": "?"}, {}, {"input": MESSAGE, "reference": "r", "context": CONTEXT}], "prehashed": True}),
        step("verify many by ML-DSA", f"POST {AT}/verify/x-mldsa-44", {"batch_input": [{"input": MESSAGE, "signature": "$mldsa_44"}, {"input": DIGEST, "signature": "$mldsa_44"}, {"input": MESSAGE, "signature": "$mldsa_65"}, {"input": MESSAGE, "signature": "$ed25519"}]}),
        step("sign many beside one", f"POST {AT}/sign/x-ed25519", {"batch_input": [item], "input": "?"}),
        step("sign many wrongly", f"POST {AT}/sign/x-ed25519", {"batch_input": [{"input": "?"}, {"input": "?"}]}),
        step("sign many with an unknown padding", f"POST {AT}/sign/x-rsa-2048", {"batch_input": [item], "signature_algorithm": "x"}),
        step("sign many with a version that is not there", f"POST {AT}/sign/x-rsa-2048", {"batch_input": [item], "key_version": 9}),
        step("verify many", f"POST {AT}/verify/x-ed25519", {"batch_input": [{"input": MESSAGE, "signature": "$ed25519"}, {"input": DIGEST, "signature": "$ed25519", "reference": "r"}, {"input": MESSAGE, "signature": "x"}, {"input": "?", "signature": "$ed25519"}]}),
        *[step(f"verify many {items}", f"POST {AT}/verify/x-ed25519", {"batch_input": items}) for items in [
            [{"input": MESSAGE}], [{"input": MESSAGE, "signature": "$ed25519"}, {"input": MESSAGE}], [{"input": MESSAGE, "signature": "$ed25519"}, {"input": MESSAGE, "hmac": "x"}], [], [{"signature": "$ed25519"}]]],
    ]


def contexts(step):
    sign = f"{AT}/sign/x-derived"
    return [
        step("sign in a context", f"POST {sign}", {"input": MESSAGE, "context": CONTEXT}, save={"derived": "data.signature"}),
        step("sign in none", f"POST {sign}", {"input": MESSAGE}),
        step("sign in a wrong one", f"POST {sign}", {"input": MESSAGE, "context": "?"}),
        step("sign many in contexts", f"POST {sign}", {"batch_input": [{"input": MESSAGE}, {"input": MESSAGE, "context": CONTEXT}, {"input": MESSAGE, "context": "?"}]}),
        *[step(f"verify in {context!r}", f"POST {AT}/verify/x-derived", {"input": MESSAGE, "signature": "$derived", "context": context}) for context in [CONTEXT, MESSAGE, "", "?"]],
        step("read derived", f"GET {AT}/keys/x-derived"),
        step("read derived in a context", f"GET {AT}/keys/x-derived?context={CONTEXT}"),
        *[step(f"export {part} of derived", f"GET {AT}/export/{part}/x-derived", shape_only=True) for part in PARTS],
    ]


def versions(step):
    return [
        step("make of versions", f"POST {AT}/keys/x-versions", {"type": "ed25519", "exportable": True, "allow_plaintext_backup": True}),
        step("sign by the first", f"POST {AT}/sign/x-versions", {"input": MESSAGE}, save={"first": "data.signature"}),
        step("rotate", f"POST {AT}/keys/x-versions/rotate", {}),
        step("sign by the second", f"POST {AT}/sign/x-versions", {"input": MESSAGE}),
        step("sign by the first again", f"POST {AT}/sign/x-versions", {"input": MESSAGE, "key_version": 1}),
        step("the first verifies", f"POST {AT}/verify/x-versions", {"input": MESSAGE, "signature": "$first"}),
        step("restrict", f"POST {AT}/keys/x-versions/config", {"min_decryption_version": 2, "min_encryption_version": 2}),
        step("sign by one that may not", f"POST {AT}/sign/x-versions", {"input": MESSAGE, "key_version": 1}),
        step("the first verifies no more", f"POST {AT}/verify/x-versions", {"input": MESSAGE, "signature": "$first"}),
    ]


def exporting(step):
    return [
        *[step(f"export {part} of {kind}", f"GET {AT}/export/{part}/x-{kind}", shape_only=True) for kind in [*KINDS, *OTHERS, "kept"] for part in PARTS],
        *[step(f"export version {version}", f"GET {AT}/export/signing-key/x-versions/{version}", shape_only=True) for version in ["latest", "2", "1", "0", "3", "-1", "x", "99999999999"]],
        *[step(f"export {part} of {kind} as {form}", f"GET {AT}/export/{part}/x-{kind}?format={form}", shape_only=True) for kind in [*KINDS, "aes256-gcm96", "hmac", "kept"] for part in PARTS for form in ["raw", "der", "pem", "x"]],
        step("export in no format of nobody", f"GET {AT}/export/public-key/absent?format=x"),
        step("export in no format what is none", f"GET {AT}/export/x/absent?format=x"),
        step("export all versions", f"GET {AT}/export/public-key/x-versions", shape_only=True),
        step("export what is none", f"GET {AT}/export/x/x-ed25519"),
        step("export what is none of nobody", f"GET {AT}/export/x/absent"),
        step("export of nobody", f"GET {AT}/export/public-key/absent"),
        step("export by writing", f"POST {AT}/export/public-key/x-ed25519", {}),
    ]


def backups(step):
    return [
        *[step(f"back up {kind}", f"GET {AT}/backup/x-{kind}", save={f"backup_{kind.replace('-', '_')}": "data.backup"}, shape_only=True) for kind in [*KINDS, *OTHERS, "versions"]],
        *[step(f"bring back {kind}", f"POST {AT}/restore/y-{kind}", {"backup": f"$backup_{kind.replace('-', '_')}"}) for kind in [*KINDS, *OTHERS, "versions"]],
        *[step(f"read {kind} that was brought back", f"GET {AT}/keys/y-{kind}") for kind in [*KINDS, "versions"]],
        step("what was signed before verifies", f"POST {AT}/verify/y-ed25519", {"input": MESSAGE, "signature": "$ed25519"}),
        step("bring back under the old name", f"POST {AT}/restore", {"backup": "$backup_ed25519"}),
        step("bring back what is there", f"POST {AT}/restore/y-ed25519", {"backup": "$backup_ed25519"}),
        step("bring back by force", f"POST {AT}/restore/y-ed25519", {"backup": "$backup_ed25519", "force": True}),
        step("read what has a backup", f"GET {AT}/keys/x-ed25519"),
        step("back up what is kept", f"GET {AT}/backup/x-kept"),
        step("back up nobody", f"GET {AT}/backup/absent"),
        *[step(f"bring back {backup!r}", f"POST {AT}/restore/z", {"backup": backup}) for backup in ["", "?", "eA==", "W10=", "eyJwb2xpY3kiOnsibmFtZSI6IngifX0=", 5]],
        step("bring back nothing", f"POST {AT}/restore/z", {}),
    ]


def importing(step):
    """Keys come in as the other way round lets them out: wrapped in this server's own wrapping key."""
    export, imports = f"{AT}/byok-export/x-wrapping", f"{AT}/keys"
    came = lambda name, key, body: step(name, f"POST {imports}/{key}/import", body)
    return [
        step("wrapping key", f"GET {AT}/wrapping_key", save={"wrapping": "data.public_key"}),
        step("wrapping key by writing", f"POST {AT}/wrapping_key", {}),
        came("import the wrapping key", "x-wrapping", {"type": "rsa-4096", "public_key": "$wrapping"}),
        *[step(f"wrap {kind}", f"GET {export}/x-{kind}/latest", save={f"wrapped_{kind.replace('-', '_')}": "data.keys.1"}, shape_only=True) for kind in [*KINDS, *OTHERS]],
        *[came(f"import {kind}", f"i-{kind}", {"type": kind, "ciphertext": f"$wrapped_{kind.replace('-', '_')}", "exportable": True}) for kind in [*KINDS, *OTHERS]],
        *[step(f"read imported {kind}", f"GET {imports}/i-{kind}") for kind in [*KINDS, *OTHERS]],
        *[signs(step, f"sign with imported {kind}", kind, {}) for kind in KINDS],
        step("what the first signed the imported one verifies", f"POST {AT}/verify/i-ed25519", {"input": MESSAGE, "signature": "$ed25519"}),
        came("import what is there", "i-ed25519", {"type": "ed25519", "ciphertext": "$wrapped_ed25519"}),
        *[came(f"import {kind} as {other}", f"no-{kind}", {"type": other, "ciphertext": f"$wrapped_{kind.replace('-', '_')}"}) for kind, other in [
            ("ed25519", "ecdsa-p256"), ("ecdsa-p256", "ecdsa-p384"), ("rsa-2048", "rsa-4096"), ("aes128-gcm96", "aes256-gcm96"), ("aes256-gcm96", "aes128-gcm96"), ("aes128-gcm96", "hmac"), ("aes256-gcm96", "rsa-2048"),
            ("mldsa-44", "mldsa-65"), ("ed25519", "mldsa-44"), ("mldsa-44", "ed25519"), ("aes256-gcm96", "mldsa-44"), ("hmac", "mldsa-87")]],
        *[came(f"import {body}", "no", body) for body in [{}, {"ciphertext": ""}, {"ciphertext": "?"}, {"ciphertext": "AAAA"}, {"ciphertext": "QUFB" * 200}, {"type": "x", "ciphertext": "AAAA"}, {"ciphertext": 5}]],
        *[came(f"import with {body}", "no", {"ciphertext": "$wrapped_aes256_gcm96", **body}) for body in [
            {"hash_function": "x"}, {"hash_function": "SHA1"}, {"auto_rotate_period": "24h"}, {"auto_rotate_period": "x", "allow_rotation": True}]],
        *[came(f"import with right {body}", f"i-right-{at}", {"ciphertext": "$wrapped_aes256_gcm96", **body}) for at, body in enumerate([
            {"hash_function": "SHA256"}, {"hash_function": "sha256"}, {"auto_rotate_period": "24h", "allow_rotation": True}, {"derived": True, "context": CONTEXT}, {"colour": "red"}])],
        step("read imported and derived", f"GET {imports}/i-right-3"),
        step("rotate imported", f"POST {imports}/i-ed25519/rotate", {}),
        step("rotate imported that may", f"POST {imports}/i-right-2/rotate", {}),
        step("read rotated that was imported", f"GET {imports}/i-right-2"),
        step("another version", f"POST {imports}/i-aes256-gcm96/import_version", {"ciphertext": "$wrapped_aes256_gcm96"}),
        step("another version of a pair", f"POST {imports}/i-ed25519/import_version", {"ciphertext": "$wrapped_ed25519"}),
        step("read another version", f"GET {imports}/i-ed25519"),
        *[step(f"another version {body}", f"POST {imports}/i-aes256-gcm96/import_version", body) for body in [{}, {"ciphertext": "?"}, {"ciphertext": "AAAA"}, {"ciphertext": "$wrapped_aes128_gcm96"}, {"ciphertext": "$wrapped_aes256_gcm96", "version": 1}]],
        step("another version of what is ours", f"POST {imports}/x-aes256-gcm96/import_version", {"ciphertext": "$wrapped_aes256_gcm96"}),
        step("another version of what was rotated", f"POST {imports}/i-right-2/import_version", {"ciphertext": "$wrapped_aes256_gcm96"}),
        step("another version of nobody", f"POST {imports}/absent/import_version", {"ciphertext": "$wrapped_aes256_gcm96"}),
    ]


def public_halves(step):
    public = [step(f"public half of {kind}", f"GET {AT}/keys/x-{kind}", save={f"public_{kind.replace('-', '_')}": "data.keys.1.public_key"}) for kind in ["ecdsa-p256", "rsa-2048"]]
    came = lambda name, body: step(name, f"POST {AT}/keys/p/import", body)
    more = lambda name, body: step(name, f"POST {AT}/keys/p/import_version", body)
    return [
        *public,
        *[came(f"import public {key[:9]!r} as {kind}", {"type": kind, "public_key": key}) for key, kind in [
            ("x", "rsa-2048"), ("", "rsa-2048"), (NO_PUBLIC_KEY, "rsa-2048"), ("$public_rsa_2048", "ecdsa-p256"), ("$public_rsa_2048", "rsa-4096"), ("$public_rsa_2048", "aes256-gcm96"), ("$public_ecdsa_p256", "ecdsa-p384")]],
        came("import a public half", {"type": "ecdsa-p256", "public_key": "$public_ecdsa_p256", "exportable": True}),
        step("read a public half", f"GET {AT}/keys/p"),
        step("sign with a public half", f"POST {AT}/sign/p", {"input": MESSAGE}),
        step("verify with a public half", f"POST {AT}/verify/p", {"input": MESSAGE, "signature": "$ecdsa_p256"}),
        *[step(f"export {part} of a public half", f"GET {AT}/export/{part}/p", shape_only=True) for part in PARTS],
        step("request with a public half", f"POST {AT}/keys/p/csr", {}),
        *[more(f"private half {body}", {"ciphertext": "$wrapped_ecdsa_p256", **body}) for body in [{"version": 7}, {"version": -1}, {"version": "x"}]],
        more("private half of another kind", {"ciphertext": "$wrapped_ed25519", "version": 1}),
        more("private half", {"ciphertext": "$wrapped_ecdsa_p256", "version": 1}),
        more("private half again", {"ciphertext": "$wrapped_ecdsa_p256", "version": 1}),
        step("sign with both halves", f"POST {AT}/sign/p", {"input": MESSAGE}, shape_only=True),
        more("another public half", {"public_key": "$public_ecdsa_p256"}),
        more("another public half of another kind", {"public_key": "$public_rsa_2048"}),
        step("read two versions", f"GET {AT}/keys/p"),
        step("encrypt to a public half", f"POST {AT}/keys/q/import", {"type": "rsa-2048", "public_key": "$public_rsa_2048"}),
        step("encrypt", f"POST {AT}/encrypt/q", {"plaintext": MESSAGE}, save={"to_q": "data.ciphertext"}),
        step("the private half decrypts", f"POST {AT}/decrypt/x-rsa-2048", {"ciphertext": "$to_q"}),
        step("the public half does not", f"POST {AT}/decrypt/q", {"ciphertext": "$to_q"}),
    ]


def public_halves_of_ml_dsa(step):
    came = lambda name, body: step(name, f"POST {AT}/keys/m/import", {"type": "mldsa-65", **body})
    return [
        step("ML-DSA's public half in PEM", f"GET {AT}/export/public-key/x-mldsa-65?format=pem", save={"mldsa_pem": "data.keys.1"}, shape_only=True),
        step("ML-DSA's other public half in PEM", f"GET {AT}/export/public-key/x-mldsa-44?format=pem", save={"mldsa_other_pem": "data.keys.1"}, shape_only=True),
        step("ML-DSA's public half", f"GET {AT}/keys/x-mldsa-65", save={"mldsa_raw": "data.keys.1.public_key"}),
        came("import ML-DSA's bare public half", {"public_key": "$mldsa_raw"}),
        came("import another ML-DSA's public half", {"public_key": "$mldsa_other_pem"}),
        came("import ML-DSA's public half", {"public_key": "$mldsa_pem", "exportable": True, "allow_plaintext_backup": True}),
        step("read ML-DSA's public half", f"GET {AT}/keys/m"),
        step("sign with ML-DSA's public half", f"POST {AT}/sign/m", {"input": MESSAGE}),
        step("verify with ML-DSA's public half", f"POST {AT}/verify/m", {"input": MESSAGE, "signature": "$mldsa_65"}),
        *[step(f"export {part} of ML-DSA's public half {form}", f"GET {AT}/export/{part}/m{form}", shape_only=True) for part in PARTS for form in ["", "?format=der"]],
        step("request with ML-DSA's public half", f"POST {AT}/keys/m/csr", {}),
        step("back up ML-DSA's public half", f"GET {AT}/backup/m", save={"backup_m": "data.backup"}, shape_only=True),
        step("bring back ML-DSA's public half", f"POST {AT}/restore/m2", {"backup": "$backup_m"}),
        step("read ML-DSA's public half that was brought back", f"GET {AT}/keys/m2"),
        step("verify with what was brought back", f"POST {AT}/verify/m2", {"input": MESSAGE, "signature": "$mldsa_65"}),
        step("sign with what was brought back", f"POST {AT}/sign/m2", {"input": MESSAGE}),
        step("ML-DSA's private half", f"POST {AT}/keys/m/import_version", {"ciphertext": "$wrapped_mldsa_65"}),
        step("read ML-DSA's both halves", f"GET {AT}/keys/m"),
        step("sign with ML-DSA's both halves", f"POST {AT}/sign/m", {"input": MESSAGE}),
        step("ML-DSA's private half again", f"POST {AT}/keys/m/import_version", {"ciphertext": "$wrapped_mldsa_65", "version": 1}),
        step("ML-DSA's second version", f"POST {AT}/keys/m/import_version", {"ciphertext": "$wrapped_mldsa_65"}),
        step("another's second version", f"POST {AT}/keys/m/import_version", {"ciphertext": "$wrapped_mldsa_44"}),
        step("read ML-DSA's two versions", f"GET {AT}/keys/m"),
    ]


def agreements(step):
    derive = lambda name, key, body: step(name, f"POST {AT}/derive-key/{key}", body)
    right = {"base_key_name": "x-ecdsa-p256", "peer_public_key": CERTIFIED}
    return [
        derive("agree", "agreed", right),
        step("read agreed", f"GET {AT}/keys/agreed"),
        step("encrypt agreed", f"POST {AT}/encrypt/agreed", {"plaintext": MESSAGE}),
        step("export agreed", f"GET {AT}/export/encryption-key/agreed"),
        *[derive(f"agree on {kind}", f"agreed-{kind}", {**right, "derived_key_type": kind}) for kind in [*OTHERS, "ed25519", "rsa-2048", "x"]],
        *[derive(f"agree with {wrong}", "not-agreed", {**right, **wrong}) for wrong in [
            {"base_key_name": ""}, {"base_key_name": "absent"}, {"base_key_name": "x-aes256-gcm96"}, {"base_key_name": "x-ed25519"}, {"base_key_name": "x-rsa-2048"}, {"base_key_name": "x-ecdsa-p384"},
            {"peer_public_key": ""}, {"peer_public_key": "x"}, {"peer_public_key": NO_PUBLIC_KEY}, {"peer_public_key": "$public_rsa_2048"}, {"base_key_version": 7}, {"base_key_version": -1}, {"base_key_version": "x"}, {"key_derivation_algorithm": "x"}]],
        derive("agree with a version", "agreed-version", {**right, "base_key_version": 1, "key_derivation_algorithm": "ecdh"}),
        derive("agree on what is there", "agreed", right),
    ]


def wrapped_exports(step):
    return [
        *[step(f"wrap {path}", f"GET {AT}/byok-export/{path}", shape_only=True) for path in [
            "x-rsa-2048/x-ed25519", "x-rsa-2048/x-versions", "x-rsa-2048/x-versions/1", "x-rsa-2048/x-versions/2", "x-rsa-2048/x-versions/x", "x-rsa-2048/x-versions/9",
            "x-rsa-2048/x-kept", "x-aes256-gcm96/x-ed25519", "x-ed25519/x-ed25519", "absent/x-ed25519", "x-rsa-2048/absent", "x-rsa-2048/p"]],
        step("wrap by writing", f"POST {AT}/byok-export/x-rsa-2048/x-ed25519", {}),
    ]


def requests(step):
    make = lambda name, kind, body, **more: step(name, f"POST {AT}/keys/x-{kind}/csr", body, **more)
    return [
        *[make(f"request of {kind}", kind, {}, shape_only=kind.startswith("ecdsa"), save={f"csr_{kind.replace('-', '_')}": "data.csr"}) for kind in KINDS],
        make("request after a request", "rsa-2048", {"csr": "$csr_ed25519"}),
        *[make(f"request of version {version!r}", "versions", {"version": version}) for version in [1, 2, "2", 0, -1, 3, "x"]],
        *[make(f"request after {csr!r}", "ed25519", {"csr": csr}) for csr in ["x", "", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "$public_rsa_2048"]],
        *[make(f"request of {kind}", kind, {}) for kind in ["aes256-gcm96", "hmac", "derived"]],
        step("request of nobody", f"POST {AT}/keys/absent/csr", {}),
    ]


def chains(step):
    keep = lambda name, kind, body: step(name, f"POST {AT}/keys/x-{kind}/set-certificate", body)
    return [
        *[keep(f"keep {name}", "ed25519", {"certificate_chain": chain}) for name, chain in [
            ("an empty text", ""), ("no PEM", "x"), ("a leaf", LEAF), ("a root", ROOT), ("another's chain", LEAF + ROOT), ("a leaf and no PEM", LEAF + "x"), ("a chain the wrong way round", ROOT + LEAF)]],
        keep("keep nothing", "ed25519", {}),
        keep("keep for a version that is not there", "ed25519", {"certificate_chain": LEAF + ROOT, "version": 9}),
        *[keep(f"keep with {kind}", kind, {"certificate_chain": LEAF + ROOT}) for kind in ["rsa-2048", "aes256-gcm96"]],
        step("keep with nobody", f"POST {AT}/keys/absent/set-certificate", {"certificate_chain": LEAF + ROOT}),
        step("bring in a key that has a certificate", f"POST {AT}/keys/certified/import", {"type": "ecdsa-p256", "public_key": CERTIFIED, "exportable": True}),
        step("keep its certificate", f"POST {AT}/keys/certified/set-certificate", {"certificate_chain": LEAF + ROOT}),
        step("keep its certificate alone", f"POST {AT}/keys/certified/set-certificate", {"certificate_chain": LEAF, "version": 1}),
        step("read certified", f"GET {AT}/keys/certified"),
        step("export its certificate", f"GET {AT}/export/certificate-chain/certified"),
        step("export its certificate of a version", f"GET {AT}/export/certificate-chain/certified/1"),
        step("bring in another such key", f"POST {AT}/keys/certified2/import", {"type": "ecdsa-p256", "public_key": "$public_ecdsa_p256"}),
        step("keep somebody else's certificate", f"POST {AT}/keys/certified2/set-certificate", {"certificate_chain": LEAF + ROOT}),
    ]


def soft_deleted(step):
    return [
        step("delete softly", f"DELETE {AT}/keys/x-versions/soft-delete"),
        step("sign deleted", f"POST {AT}/sign/x-versions", {"input": MESSAGE}),
        step("verify deleted", f"POST {AT}/verify/x-versions", {"input": MESSAGE, "signature": "$first"}),
        step("verify deleted in a batch", f"POST {AT}/verify/x-versions", {"batch_input": [{"input": MESSAGE, "signature": "$first"}]}),
        step("sign deleted in a batch", f"POST {AT}/sign/x-versions", {"batch_input": [{"input": MESSAGE}]}),
        step("export deleted", f"GET {AT}/export/public-key/x-versions", shape_only=True),
        step("back up deleted", f"GET {AT}/backup/x-versions", shape_only=True),
        step("wrap deleted", f"GET {AT}/byok-export/x-rsa-2048/x-versions", shape_only=True),
        step("wrap in deleted", f"GET {AT}/byok-export/x-versions/x-rsa-2048", shape_only=True),
        step("request of deleted", f"POST {AT}/keys/x-versions/csr", {}),
    ]


def rights(step):
    return [step(f"{line} without rights", line, {} if line.startswith("POST") else None, token="$powerless") for line in [
        f"POST {AT}/sign/x-ed25519", f"POST {AT}/verify/x-ed25519", f"GET {AT}/export/public-key/x-ed25519", f"GET {AT}/backup/x-ed25519", f"POST {AT}/restore", f"GET {AT}/wrapping_key",
        f"POST {AT}/keys/no/import", f"POST {AT}/keys/x-ed25519/import_version", f"GET {AT}/byok-export/x-rsa-2048/x-ed25519", f"POST {AT}/keys/x-ed25519/csr", f"POST {AT}/keys/x-ed25519/set-certificate"]]


# A key of P-256, its certificate, and that of who signed it. Made for this comparison alone.
CERTIFIED = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEg3OavDJRDk5IlQzrz4v76XkYBGAP
PMV30klndSDxC4E2dU0YFj/DiHgYRQ1lZBNGsuTpxU4SIH9Zf2aqdTdD+w==
-----END PUBLIC KEY-----
"""
LEAF = """-----BEGIN CERTIFICATE-----
MIIBHzCBxaADAgECAgEHMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBHJvb3QwIBcN
MjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMA8xDTALBgNVBAMMBGxlYWYw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASDc5q8MlEOTkiVDOvPi/vpeRgEYA88
xXfSSWd1IPELgTZ1TRgWP8OIeBhFDWVkE0ay5OnFThIgf1l/Zqp1N0P7oxAwDjAM
BgNVHRMBAf8EAjAAMAoGCCqGSM49BAMCA0kAMEYCIQDd/vfSTGYIKUcQxjglQvYW
rUAuTbhiRV/DlO60aNxa9QIhAIyrOTxZhHyVPQB9wt2k1F3D/nn03IRMrZT0dL2x
Z5bx
-----END CERTIFICATE-----
"""
ROOT = """-----BEGIN CERTIFICATE-----
MIIBITCByKADAgECAgEHMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBHJvb3QwIBcN
MjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMA8xDTALBgNVBAMMBHJvb3Qw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATtu9wlgwCo9yv/cLR0nYxtR1dJgWh8
/YxEF2JKI87Nb2oD18CxiyGhZ33t7czo8AGGzRx+VBVyu2feQJ7UHiLaoxMwETAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIH+dJ20HZJ/1plmr3AFH
C5o24sOg4DKW8RSg5bYvf9cmAiEAgB336x7W2uW/DbW/w6BEHQRE3lb4WUT/t2MA
gxduQto=
-----END CERTIFICATE-----
"""
