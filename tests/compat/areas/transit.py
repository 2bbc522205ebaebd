"""Transit: keys and their life, ciphers, data keys, codes, hashes and random bytes. What pairs of keys do is in transit_asymmetric."""

AT = "transit"
KINDS = ["aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305", "ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-2048", "rsa-3072", "rsa-4096", "mldsa-44", "mldsa-65", "mldsa-87"]
HASHES = ["sha2-224", "sha2-256", "sha2-384", "sha2-512", "sha3-224", "sha3-256", "sha3-384", "sha3-512"]
HELLO = "aGVsbG8="
ABC = "YWJj"
LONG = "QUJD" * 100
NOT_TEXT = [5, True, None, "?", "a", "aGVsbG8", "aGVs\nbG8=", "aGVsbG9=", "aGVsbG8=x"]


def steps(step):
    return [*keys(step), *configuration(step), *versions(step), *deletion(step), *encryption(step), *upserts(step), *encryption_batches(step), *decryption(step),
            *rewrapping(step), *data_keys(step), *codes(step), *verification(step), *without_keys(step), *settings(step), *rights(step)]


def keys(step):
    key = f"{AT}/keys/a"
    return [
        step("list none", f"LIST {AT}/keys"),
        step("read none", f"GET {key}"),
        step("make", f"POST {key}"),
        step("make again", f"POST {key}", {"type": "ed25519"}),
        step("read", f"GET {key}"),
        *[step(f"make {kind}", f"POST {AT}/keys/k-{kind}", {"type": kind}) for kind in KINDS],
        *[step(f"read {kind}", f"GET {AT}/keys/k-{kind}") for kind in KINDS],
        *[step(f"make {kind!r}", f"POST {AT}/keys/no-kind", {"type": kind}) for kind in ["", "foo", "managed_key", "external-key", "AES256-GCM96", 5, []]],
        *[step(f"make hmac of {size!r}", f"POST {AT}/keys/hm-{size}", {"type": "hmac", "key_size": size}) for size in [32, 512, 31, 513, 0, -1, "64", "x"]],
        step("make hmac of no size", f"POST {AT}/keys/hm-none", {"type": "hmac"}),
        step("read hmac", f"GET {AT}/keys/hm-32"),
        step("size of a cipher", f"POST {AT}/keys/sized", {"key_size": 32}),
        step("make derived", f"POST {AT}/keys/d", {"derived": True}),
        step("make convergent", f"POST {AT}/keys/c", {"derived": True, "convergent_encryption": True}),
        step("convergent alone", f"POST {AT}/keys/no", {"convergent_encryption": True}),
        *[step(f"derived {kind}", f"POST {AT}/keys/d-{kind}", {"derived": True, "type": kind}) for kind in KINDS if not kind.startswith("rsa-4")],
        *[step(f"convergent {kind}", f"POST {AT}/keys/c-{kind}", {"derived": True, "convergent_encryption": True, "type": kind}) for kind in KINDS if not kind.startswith("rsa-4")],
        step("derived hmac", f"POST {AT}/keys/no", {"derived": True, "type": "hmac", "key_size": 32}),
        step("read derived with a wrong context", f"GET {AT}/keys/d-ed25519?context=?"),
        step("read a cipher with a context", f"GET {key}?context={ABC}"),
        step("make with all", f"POST {AT}/keys/all", {"exportable": True, "allow_plaintext_backup": "true", "auto_rotate_period": "1h", "derived": "0"}),
        *[step(f"period {period!r}", f"POST {AT}/keys/period", {"auto_rotate_period": period}) for period in ["59m", 3599, "-1h", "x", 3600, "24h"]],
        step("unknown field", f"POST {AT}/keys/odd", {"colour": "red", "soft_deleted": True}),
        step("somebody else's key", f"POST {AT}/keys/no", {"external_key_ref": "a:b"}),
        *[step(f"name {name}", f"POST {AT}/keys/{name}", {}) for name in ["a.b-c_d", "-x", "x-", "a%20b", "A", "a/b/c", "%C3%A4", "_"]],
        step("list", f"LIST {AT}/keys"),
        step("list some", f"LIST {AT}/keys?after=c&limit=2"),
        step("list by reading", f"GET {AT}/keys"),
        step("write the list", f"POST {AT}/keys", {}),
        step("patch", f"PATCH {key}", {"derived": True}, headers={"Content-Type": "application/merge-patch+json"}),
        step("nothing here", f"GET {AT}/nothing"),
    ]


def configuration(step):
    config = f"{AT}/keys/a/config"
    return [
        step("configure nobody", f"POST {AT}/keys/nosuch/config", {}),
        step("configure nothing", f"POST {config}", {}),
        *[step(f"{field} {value!r}", f"POST {config}", {field: value}) for field in ["min_decryption_version", "min_encryption_version"] for value in [-1, 0, 1, 2, "x", "1"]],
        *[step(f"{field} {value!r}", f"POST {config}", {field: value}) for field in ["deletion_allowed", "exportable", "allow_plaintext_backup"] for value in ["maybe", True, False]],
        *[step(f"configured period {value!r}", f"POST {config}", {"auto_rotate_period": value}) for value in ["30m", "2h", 0, "x"]],
        step("configure the unknown", f"POST {config}", {"colour": "red"}),
    ]


def versions(step):
    key = f"{AT}/keys/r"
    return [
        step("make r", f"POST {key}"),
        step("first ciphertext", f"POST {AT}/encrypt/r", {"plaintext": HELLO}, save={"r1": "data.ciphertext"}),
        step("rotate", f"POST {key}/rotate"),
        step("rotate again", f"POST {key}/rotate", {}),
        step("rotate nobody", f"POST {AT}/keys/nosuch/rotate", {}),
        step("rotate to somebody else's", f"POST {key}/rotate", {"external_key_ref": "x"}),
        *[step(f"rotate {name}", f"POST {AT}/keys/{name}/rotate", {}) for name in ["k-ed25519", "k-ecdsa-p256", "k-rsa-2048", "k-mldsa-44", "hm-32", "c"]],
        *[step(f"encrypt by version {version!r}", f"POST {AT}/encrypt/r", {"plaintext": HELLO, "key_version": version}) for version in [0, 1, 3, 4, -1, "2", "x", 10**12]],
        step("old one is decrypted", f"POST {AT}/decrypt/r", {"ciphertext": "$r1"}),
        step("rewrap it", f"POST {AT}/rewrap/r", {"ciphertext": "$r1"}, save={"r3": "data.ciphertext"}),
        step("rewrapped is decrypted", f"POST {AT}/decrypt/r", {"ciphertext": "$r3"}),
        step("rewrap to a version", f"POST {AT}/rewrap/r", {"ciphertext": "$r1", "key_version": 2}),
        step("least encryption", f"POST {key}/config", {"min_encryption_version": 2}),
        step("encrypt under the least", f"POST {AT}/encrypt/r", {"plaintext": HELLO, "key_version": 1}),
        step("code under the least", f"POST {AT}/hmac/r", {"input": HELLO, "key_version": 1}),
        step("least decryption over it", f"POST {key}/config", {"min_decryption_version": 3}),
        step("both", f"POST {key}/config", {"min_decryption_version": 2, "min_encryption_version": 2}),
        step("read both", f"GET {key}"),
        step("too old", f"POST {AT}/decrypt/r", {"ciphertext": "$r1"}),
        step("too old in a batch", f"POST {AT}/decrypt/r", {"batch_input": [{"ciphertext": "$r1"}, {"ciphertext": "$r3"}]}),
        step("too old to rewrap", f"POST {AT}/rewrap/r", {"ciphertext": "$r1"}),
        step("encrypt with what may not decrypt", f"POST {AT}/encrypt/r", {"plaintext": HELLO, "key_version": 1}),
        step("no least encryption", f"POST {key}/config", {"min_encryption_version": 0}),
        step("version that is archived", f"POST {AT}/encrypt/r", {"plaintext": HELLO, "key_version": 1}),
        step("code of one that is archived", f"POST {AT}/hmac/r", {"input": HELLO, "key_version": 1}),
        step("trim without a least", f"POST {key}/trim", {"min_available_version": 2}),
        step("least again", f"POST {key}/config", {"min_encryption_version": 3}),
        step("lower again", f"POST {key}/config", {"min_decryption_version": 1}),
        step("old once more", f"POST {AT}/decrypt/r", {"ciphertext": "$r1"}),
        step("higher again", f"POST {key}/config", {"min_decryption_version": 2}),
        *[step(f"trim to {version!r}", f"POST {key}/trim", {"min_available_version": version}) for version in [0, -1, 4, 3, "x", 2, 1]],
        step("trim to 2 again", f"POST {key}/trim", {"min_available_version": 2}),
        step("trim to nothing", f"POST {key}/trim", {}),
        step("trim nobody", f"POST {AT}/keys/nosuch/trim", {"min_available_version": 2}),
        step("under what is there", f"POST {key}/config", {"min_decryption_version": 1}),
        step("no least after a trim", f"POST {key}/config", {"min_encryption_version": 0}),
        step("read trimmed", f"GET {key}"),
        step("trimmed", f"POST {AT}/decrypt/r", {"ciphertext": "$r1"}),
    ]


def deletion(step):
    key = f"{AT}/keys/gone"
    return [
        step("make gone", f"POST {key}"),
        step("encrypt with gone", f"POST {AT}/encrypt/gone", {"plaintext": HELLO}, save={"gone": "data.ciphertext"}),
        step("delete guarded", f"DELETE {key}"),
        step("delete nobody", f"DELETE {AT}/keys/nosuch"),
        step("soft delete", f"DELETE {key}/soft-delete"),
        step("soft delete again", f"DELETE {key}/soft-delete"),
        step("soft delete nobody", f"DELETE {AT}/keys/nosuch/soft-delete"),
        step("restore nobody", f"POST {AT}/keys/nosuch/soft-delete-restore", {}),
        step("read soft-deleted", f"GET {key}"),
        step("make soft-deleted", f"POST {key}", {}),
        step("encrypt soft-deleted", f"POST {AT}/encrypt/gone", {"plaintext": HELLO}),
        step("decrypt soft-deleted", f"POST {AT}/decrypt/gone", {"ciphertext": "$gone"}),
        step("decrypt soft-deleted in a batch", f"POST {AT}/decrypt/gone", {"batch_input": [{"ciphertext": "$gone"}]}),
        step("encrypt soft-deleted in a batch", f"POST {AT}/encrypt/gone", {"batch_input": [{"plaintext": HELLO}]}),
        step("rewrap soft-deleted in a batch", f"POST {AT}/rewrap/gone", {"batch_input": [{"ciphertext": "$gone"}]}),
        step("codes soft-deleted", f"POST {AT}/hmac/gone", {"batch_input": [{"input": HELLO}]}),
        step("verify soft-deleted in a batch", f"POST {AT}/verify/gone", {"batch_input": [{"input": HELLO, "hmac": "vault:v1:AAAA"}]}),
        step("rewrap soft-deleted", f"POST {AT}/rewrap/gone", {"ciphertext": "$gone"}),
        step("data key soft-deleted", f"POST {AT}/datakey/plaintext/gone", {}),
        step("code soft-deleted", f"POST {AT}/hmac/gone", {"input": HELLO}),
        step("verify soft-deleted", f"POST {AT}/verify/gone", {"input": HELLO, "hmac": "vault:v1:AAAA"}),
        step("rotate soft-deleted", f"POST {key}/rotate", {}),
        step("configure soft-deleted", f"POST {key}/config", {"deletion_allowed": False}),
        step("restore", f"POST {key}/soft-delete-restore"),
        step("restore again", f"POST {key}/soft-delete-restore", {}),
        step("decrypt restored", f"POST {AT}/decrypt/gone", {"ciphertext": "$gone"}),
        step("allow deletion", f"POST {key}/config", {"deletion_allowed": True}),
        step("delete", f"DELETE {key}"),
        step("read deleted", f"GET {key}"),
        step("decrypt deleted", f"POST {AT}/decrypt/gone", {"ciphertext": "$gone"}),
        step("make anew", f"POST {key}", {}),
        step("decrypt with another key of that name", f"POST {AT}/decrypt/gone", {"ciphertext": "$gone"}),
    ]


def encryption(step):
    encrypt = f"{AT}/encrypt/a"
    return [
        step("encrypt", f"POST {encrypt}", {"plaintext": HELLO}, save={"a": "data.ciphertext"}),
        step("encrypt nothing", f"POST {encrypt}", {"plaintext": ""}, save={"empty": "data.ciphertext"}),
        step("encrypt without", f"POST {encrypt}", {}),
        *[step(f"plaintext {text!r}", f"POST {encrypt}", {"plaintext": text}) for text in NOT_TEXT],
        step("plaintext is a list", f"POST {encrypt}", {"plaintext": ["x"]}),
        step("caller's nonce", f"POST {encrypt}", {"plaintext": HELLO, "nonce": "AAAAAAAAAAAAAAAA"}),
        step("context of none", f"POST {encrypt}", {"plaintext": HELLO, "context": ABC}),
        step("wrong context", f"POST {encrypt}", {"plaintext": HELLO, "context": "?"}),
        step("associated", f"POST {encrypt}", {"plaintext": HELLO, "associated_data": ABC}, save={"aad": "data.ciphertext"}),
        step("wrong associated", f"POST {encrypt}", {"plaintext": HELLO, "associated_data": "?"}),
        step("a code for one", f"POST {encrypt}", {"plaintext": HELLO, "partial_failure_response_code": 207}),
        step("another kind", f"POST {encrypt}", {"plaintext": HELLO, "type": "foo"}),
        step("long", f"POST {encrypt}", {"plaintext": LONG}),
        *[step(f"encrypt with {kind}", f"POST {AT}/encrypt/k-{kind}", {"plaintext": HELLO}) for kind in KINDS],
        *[step(f"encrypt by {kind} with associated", f"POST {AT}/encrypt/k-{kind}", {"plaintext": HELLO, "associated_data": ABC}) for kind in KINDS],
        step("too long for rsa", f"POST {AT}/encrypt/k-rsa-2048", {"plaintext": LONG}),
        step("encrypt with hmac", f"POST {AT}/encrypt/hm-32", {"plaintext": HELLO}),
        step("derived without", f"POST {AT}/encrypt/d", {"plaintext": HELLO}),
        step("derived with nothing", f"POST {AT}/encrypt/d", {"plaintext": HELLO, "context": ""}),
        step("derived", f"POST {AT}/encrypt/d", {"plaintext": HELLO, "context": ABC}, save={"d": "data.ciphertext"}),
        step("convergent", f"POST {AT}/encrypt/c", {"plaintext": HELLO, "context": ABC}, save={"c": "data.ciphertext"}),
        step("by reading", f"GET {encrypt}"),
        step("with no key", f"POST {AT}/encrypt", {"plaintext": HELLO}),
    ]


def upserts(step):
    kinds = [*KINDS, "hmac", "foo", "managed_key", "external-key", ""]
    return [
        step("make by encrypting", f"POST {AT}/encrypt/up", {"plaintext": HELLO}),
        step("made by encrypting", f"GET {AT}/keys/up"),
        *[step(f"make {kind!r} by encrypting", f"POST {AT}/encrypt/up-{kind or 'none'}", {"plaintext": HELLO, "type": kind}) for kind in kinds],
        step("make derived by encrypting", f"POST {AT}/encrypt/up-d", {"plaintext": HELLO, "context": ABC}),
        step("made derived by encrypting", f"GET {AT}/keys/up-d"),
        step("make convergent by encrypting", f"POST {AT}/encrypt/up-c", {"plaintext": HELLO, "context": ABC, "convergent_encryption": True}),
        step("made convergent by encrypting", f"GET {AT}/keys/up-c"),
        step("convergent without a context", f"POST {AT}/encrypt/up-no", {"plaintext": HELLO, "convergent_encryption": True}),
        step("make derived by a batch", f"POST {AT}/encrypt/up-b", {"batch_input": [{"plaintext": HELLO, "context": ABC}]}),
        step("made derived by a batch", f"GET {AT}/keys/up-b"),
        step("contexts of some", f"POST {AT}/encrypt/up-no", {"batch_input": [{"plaintext": HELLO, "context": ABC}, {"plaintext": HELLO}]}),
        step("without anything", f"POST {AT}/encrypt/up-no", {}),
        step("none was made", f"GET {AT}/keys/up-no"),
        step("refuse to make", f"POST {AT}/config/keys", {"disable_upsert": True}),
        step("not made", f"POST {AT}/encrypt/up-no", {"plaintext": HELLO}),
        step("make again by encrypting", f"POST {AT}/config/keys", {"disable_upsert": False}),
    ]


def encryption_batches(step):
    encrypt = f"{AT}/encrypt/a"
    some = [{"plaintext": HELLO, "reference": "r1"}, {"plaintext": "?", "reference": "r<2>"}]
    return [
        step("batch", f"POST {encrypt}", {"batch_input": [{"plaintext": HELLO, "reference": "one"}, {"plaintext": ""}, {"plaintext": HELLO, "key_version": 1, "associated_data": ABC}]}),
        *[step(f"batch {batch!r}", f"POST {encrypt}", {"batch_input": batch}) for batch in
          [[], None, {}, "x", "[]", [1], [{}], [{"plaintext": 5}], [{"plaintext": None}], [{"plaintext": True}], [{"plaintext": []}], [{"plaintext": HELLO, "colour": 1}],
           [{"plaintext": HELLO, "key_version": "1"}], [{"plaintext": HELLO, "key_version": []}], [{"plaintext": HELLO, "context": 5}], [{"plaintext": HELLO, "reference": 5}],
           [{"plaintext": HELLO, "nonce": "AAAAAAAAAAAAAAAA"}], [{"plaintext": HELLO, "associated_data": "?"}], [{"plaintext": HELLO, "key_version": -1}],
           [{"plaintext": HELLO, "key_version": 9}], [{"plaintext": HELLO, "context": "?"}]]],
        step("batch wins", f"POST {encrypt}", {"batch_input": [{"plaintext": "?"}], "plaintext": HELLO, "key_version": 9}),
        step("some fail", f"POST {encrypt}", {"batch_input": some}),
        *[step(f"some fail with {code!r}", f"POST {encrypt}", {"batch_input": some, "partial_failure_response_code": code}) for code in [200, 207, 422, 0, 700, -1, "207", "x"]],
        step("all fail", f"POST {encrypt}", {"batch_input": some[1:], "partial_failure_response_code": 207}),
        step("batch of hmac", f"POST {AT}/encrypt/hm-32", {"batch_input": some}),
        step("batch of rsa", f"POST {AT}/encrypt/k-rsa-2048", {"batch_input": [{"plaintext": HELLO}, {"plaintext": LONG}]}),
        step("batch of rsa with associated", f"POST {AT}/encrypt/k-rsa-2048", {"batch_input": [{"plaintext": HELLO, "associated_data": ABC}]}),
        step("batch of derived", f"POST {AT}/encrypt/d", {"batch_input": [{"plaintext": HELLO, "context": ABC}, {"plaintext": HELLO, "context": "?"}]}),
        step("batch of derived without", f"POST {AT}/encrypt/d", {"batch_input": [{"plaintext": HELLO}]}),
    ]


def decryption(step):
    decrypt = f"{AT}/decrypt/a"
    wrong = ["", "x", "vault:", "vault:x1:AAAA", "vault:v1", "vault:v1:", "vault:vx:AAAA", "vault:v0:AAAA", "vault:v-1:AAAA", "vault:v+1:AAAA", "vault:v2:AAAA", "vault:v1:AAAA", "vault:v1:?",
             "vault:v1:" + "A" * 60, "vault:v1:AAAA:BBBB", "vault:v1:AAAA\nAAAA", "vault:v99999999999999999999:AAAA", "Vault:v1:AAAA", 5]
    return [
        step("decrypt", f"POST {decrypt}", {"ciphertext": "$a"}),
        step("decrypt nothing", f"POST {decrypt}", {"ciphertext": "$empty"}),
        step("decrypt without", f"POST {decrypt}", {}),
        *[step(f"ciphertext {text!r}", f"POST {decrypt}", {"ciphertext": text}) for text in wrong],
        step("associated missing", f"POST {decrypt}", {"ciphertext": "$aad"}),
        step("associated given", f"POST {decrypt}", {"ciphertext": "$aad", "associated_data": ABC}),
        step("another associated", f"POST {decrypt}", {"ciphertext": "$aad", "associated_data": HELLO}),
        step("associated is nonsense", f"POST {decrypt}", {"ciphertext": "$aad", "associated_data": "?"}),
        step("decrypt derived", f"POST {AT}/decrypt/d", {"ciphertext": "$d", "context": ABC}),
        step("another context", f"POST {AT}/decrypt/d", {"ciphertext": "$d", "context": HELLO}),
        step("no context", f"POST {AT}/decrypt/d", {"ciphertext": "$d"}),
        step("context is nonsense", f"POST {AT}/decrypt/d", {"ciphertext": "$d", "context": "?"}),
        step("no prefix and no context", f"POST {AT}/decrypt/d", {"ciphertext": "x"}),
        step("decrypt convergent", f"POST {AT}/decrypt/c", {"ciphertext": "$c", "context": ABC}),
        step("nonce of a convergent", f"POST {AT}/decrypt/c", {"ciphertext": "$c", "context": ABC, "nonce": "AAAAAAAAAAAAAAAA"}),
        step("by another key", f"POST {AT}/decrypt/up", {"ciphertext": "$a"}),
        step("by no key", f"POST {AT}/decrypt/nosuch", {"ciphertext": "$a"}),
        step("by no key without", f"POST {AT}/decrypt/nosuch", {}),
        step("version of decryption", f"POST {decrypt}", {"ciphertext": "$a", "key_version": 9}),
        *[step(f"decrypt with {kind}", f"POST {AT}/decrypt/k-{kind}", {"ciphertext": "vault:v1:AAAA"}) for kind in [*KINDS]],
        step("decrypt with hmac", f"POST {AT}/decrypt/hm-32", {"ciphertext": "vault:v1:AAAA"}),
        step("rsa of one key", f"POST {AT}/encrypt/k-rsa-3072", {"plaintext": HELLO}, save={"rsa": "data.ciphertext"}),
        step("rsa by it", f"POST {AT}/decrypt/k-rsa-3072", {"ciphertext": "$rsa"}),
        step("rsa by another", f"POST {AT}/decrypt/k-rsa-4096", {"ciphertext": "$rsa"}),
        step("rsa with associated", f"POST {AT}/decrypt/k-rsa-3072", {"ciphertext": "$rsa", "associated_data": ABC}),
        step("decrypt batch", f"POST {decrypt}", {"batch_input": [{"ciphertext": "$a", "reference": "one"}, {"ciphertext": "$empty"}, {"ciphertext": "$aad", "associated_data": ABC}]}),
        step("decrypt some", f"POST {decrypt}", {"batch_input": [{"ciphertext": "$a", "reference": "one"}, {"ciphertext": ""}, {"ciphertext": "x", "reference": "two"}]}),
        step("decrypt some with a code", f"POST {decrypt}", {"batch_input": [{"ciphertext": "$a"}, {"ciphertext": "x"}], "partial_failure_response_code": 207}),
        step("decrypt none", f"POST {decrypt}", {"batch_input": [{"ciphertext": "x"}], "partial_failure_response_code": 207}),
        *[step(f"decrypt batch {batch!r}", f"POST {decrypt}", {"batch_input": batch}) for batch in [[], None, {}, "", [1], [{}], [{"ciphertext": 5}], [{"ciphertext": None}]]],
        step("decrypt batch by no key", f"POST {AT}/decrypt/nosuch", {"batch_input": [{"ciphertext": "$a"}]}),
        step("decrypt batch of derived", f"POST {AT}/decrypt/d", {"batch_input": [{"ciphertext": "$d"}, {"ciphertext": "$d", "context": ABC}, {"ciphertext": "$d", "context": "?"}]}),
        step("decrypt batch of rsa", f"POST {AT}/decrypt/k-rsa-3072", {"batch_input": [{"ciphertext": "$rsa"}, {"ciphertext": "vault:v1:AAAA"}]}),
    ]


def rewrapping(step):
    rewrap = f"{AT}/rewrap/a"
    return [
        step("rewrap", f"POST {rewrap}", {"ciphertext": "$a"}),
        step("rewrap without", f"POST {rewrap}", {}),
        *[step(f"rewrap {text!r}", f"POST {rewrap}", {"ciphertext": text}) for text in ["", "x", "vault:v2:AAAA", "vault:v1:AAAA", "vault:v1:?", 5]],
        step("rewrap associated without", f"POST {rewrap}", {"ciphertext": "$aad"}),
        step("rewrap associated", f"POST {rewrap}", {"ciphertext": "$aad", "associated_data": ABC}),
        step("rewrap with a nonce", f"POST {rewrap}", {"ciphertext": "$a", "nonce": "AAAAAAAAAAAAAAAA"}),
        *[step(f"rewrap to {version!r}", f"POST {rewrap}", {"ciphertext": "$a", "key_version": version}) for version in [1, 2, -1, "1", "x"]],
        step("rewrap derived", f"POST {AT}/rewrap/d", {"ciphertext": "$d", "context": ABC}),
        step("rewrap derived without", f"POST {AT}/rewrap/d", {"ciphertext": "$d"}),
        step("rewrap derived with nonsense", f"POST {AT}/rewrap/d", {"ciphertext": "$d", "context": "?"}),
        step("rewrap rsa", f"POST {AT}/rewrap/k-rsa-3072", {"ciphertext": "$rsa"}),
        step("rewrap rsa of nonsense", f"POST {AT}/rewrap/k-rsa-3072", {"ciphertext": "vault:v1:AAAA"}),
        step("rewrap hmac", f"POST {AT}/rewrap/hm-32", {"ciphertext": "vault:v1:AAAA"}),
        step("rewrap by no key", f"POST {AT}/rewrap/nosuch", {"ciphertext": "$a"}),
        step("rewrap batch", f"POST {rewrap}", {"batch_input": [{"ciphertext": "$a", "reference": "one"}, {"ciphertext": "x"}, {"ciphertext": ""}, {}, {"ciphertext": "$a", "key_version": 9}]}),
        step("rewrap batch with a code", f"POST {rewrap}", {"batch_input": [{"ciphertext": "$a"}, {"ciphertext": "x"}], "partial_failure_response_code": 207}),
        *[step(f"rewrap batch {batch!r}", f"POST {rewrap}", {"batch_input": batch}) for batch in [[], None, {}, "", [1], [{"ciphertext": 5}], [{"ciphertext": None}]]],
        step("rewrap batch of derived", f"POST {AT}/rewrap/d", {"batch_input": [{"ciphertext": "$d"}, {"ciphertext": "$d", "context": ABC}]}),
    ]


def data_keys(step):
    return [
        *[step(f"data key {bits!r}", f"POST {AT}/datakey/plaintext/a", {"bits": bits}, shape_only=True) for bits in [128, 256, 512, "256"]],
        *[step(f"wrapped data key {bits!r}", f"POST {AT}/datakey/wrapped/a", {"bits": bits}) for bits in [128, 256, 512, 0, 100, "x", -128]],
        step("data key", f"POST {AT}/datakey/wrapped/a", {}),
        step("data key of another sort", f"POST {AT}/datakey/foo/a", {}),
        step("data key by no key", f"POST {AT}/datakey/plaintext/nosuch", {}),
        step("data key of derived without", f"POST {AT}/datakey/plaintext/d", {}),
        step("data key of derived", f"POST {AT}/datakey/wrapped/d", {"context": ABC}),
        step("data key of derived with nonsense", f"POST {AT}/datakey/wrapped/d", {"context": "?"}),
        step("data key of convergent", f"POST {AT}/datakey/wrapped/c", {"context": ABC}),
        *[step(f"data key by version {version!r}", f"POST {AT}/datakey/wrapped/a", {"key_version": version}) for version in [1, 9, -1]],
        step("data key with associated", f"POST {AT}/datakey/wrapped/a", {"associated_data": ABC}),
        step("data key with associated nonsense", f"POST {AT}/datakey/wrapped/a", {"associated_data": "?"}),
        step("data key with a nonce", f"POST {AT}/datakey/wrapped/a", {"nonce": "AAAA"}),
        *[step(f"data key by {kind}", f"POST {AT}/datakey/wrapped/k-{kind}", {}) for kind in KINDS],
        step("data key by rsa with associated", f"POST {AT}/datakey/wrapped/k-rsa-2048", {"associated_data": ABC}),
        step("data key by hmac", f"POST {AT}/datakey/wrapped/hm-32", {}),
    ]


def codes(step):
    hmac = f"{AT}/hmac/a"
    return [
        step("code", f"POST {hmac}", {"input": HELLO}, save={"code": "data.hmac"}),
        *[step(f"code by {name}", f"POST {AT}/hmac/{name}", {"input": HELLO}) for name in ["hm-32", "hm-512", "k-ed25519", "k-rsa-2048", "k-ecdsa-p256", "k-mldsa-44", "d", "c", "nosuch"]],
        *[step(f"code {hash}", f"POST {hmac}/{hash}", {"input": HELLO}) for hash in [*HASHES, "sha1", "none", "foo", "SHA2-256"]],
        *[step(f"code with {hash!r}", f"POST {hmac}", {"input": HELLO, "algorithm": hash}) for hash in ["sha2-512", "", "none", "foo", 5]],
        step("path wins", f"POST {hmac}/sha2-512", {"input": HELLO, "algorithm": "sha2-256"}),
        *[step(f"code of {text!r}", f"POST {hmac}", {"input": text}) for text in ["", "?", 5, "aGVsbG8"]],
        step("code of nothing", f"POST {hmac}", {}),
        *[step(f"code by version {version!r}", f"POST {hmac}", {"input": HELLO, "key_version": version}) for version in [1, 9, -1, "1", "x"]],
        step("code of the unknown", f"POST {hmac}", {"input": HELLO, "hash_algorithm": "sha2-512", "format": "hex"}),
        step("codes", f"POST {hmac}", {"batch_input": [{"input": HELLO, "reference": "one"}, {"input": "?"}, {}, {"input": ""}, {"input": 5}, {"input": HELLO, "key_version": 9}]}),
        *[step(f"codes of {batch!r}", f"POST {hmac}", {"batch_input": batch}) for batch in [[], None, "x", {}, [5], [{"input": []}]]],
        step("codes by no key", f"POST {AT}/hmac/nosuch", {"batch_input": [{"input": HELLO}]}),
    ]


def verification(step):
    verify = f"{AT}/verify/a"
    wrong = ["", "x", "vault:v1", "vault:vx:AAAA", "vault:v9:AAAA", "vault:v0:AAAA", "vault:v-1:AAAA", "vault:v1:?", "vault:v1:", "vault:v1:AAAA"]
    return [
        step("verify", f"POST {verify}", {"input": HELLO, "hmac": "$code"}),
        step("verify another", f"POST {verify}", {"input": ABC, "hmac": "$code"}),
        step("verify nothing", f"POST {verify}", {"hmac": "$code"}),
        step("verify by nothing", f"POST {verify}", {"input": HELLO}),
        step("verify nonsense", f"POST {verify}", {"input": "?", "hmac": "$code"}),
        *[step(f"verify by {text!r}", f"POST {verify}", {"input": HELLO, "hmac": text}) for text in wrong],
        *[step(f"verify {hash}", f"POST {verify}/{hash}", {"input": HELLO, "hmac": "$code"}) for hash in ["sha2-256", "sha2-512", "sha1", "none", "foo"]],
        *[step(f"verify with {field} {hash}", f"POST {verify}", {"input": HELLO, "hmac": "$code", field: hash}) for field in ["algorithm", "hash_algorithm"] for hash in ["sha2-256", "sha2-512", "none", "foo"]],
        step("new name wins", f"POST {verify}", {"input": HELLO, "hmac": "$code", "algorithm": "sha2-512", "hash_algorithm": "sha2-256"}),
        step("verify by no key", f"POST {AT}/verify/nosuch", {"input": HELLO, "hmac": "$code"}),
        step("verify by another key", f"POST {AT}/verify/up", {"input": HELLO, "hmac": "$code"}),
        step("signature of a cipher", f"POST {verify}", {"input": HELLO, "signature": "vault:v1:AAAA"}),
        step("signature of an hmac key", f"POST {AT}/verify/hm-32", {"input": HELLO, "signature": "vault:v1:AAAA"}),
        step("signature and code", f"POST {verify}", {"input": HELLO, "signature": "x", "hmac": "$code"}),
        step("verify batch", f"POST {verify}", {"batch_input": [{"input": HELLO, "hmac": "$code", "reference": "one"}, {"input": ABC, "hmac": "$code"}, {"input": "?", "hmac": "$code"},
                                                               {"input": HELLO, "hmac": "x"}, {"input": HELLO, "hmac": ""}, {"hmac": "$code"}, {"input": HELLO, "hmac": "vault:v9:AAAA"}]}),
        *[step(f"verify batch {batch!r}", f"POST {verify}", {"batch_input": batch}) for batch in
          [[], None, "x", [5], [{}], [{"input": HELLO}], [{"input": HELLO}, {"input": HELLO, "hmac": "x"}], [{"input": HELLO, "hmac": "x"}, {"input": HELLO, "signature": "x"}]]],
    ]


def without_keys(step):
    return [
        *[step(f"hash {hash}", f"POST {AT}/hash/{hash}", {"input": HELLO}) for hash in [*HASHES, "sha1", "none", "foo"]],
        *[step(f"hash with {hash!r}", f"POST {AT}/hash", {"input": HELLO, "algorithm": hash}) for hash in ["sha2-512", "", "foo"]],
        *[step(f"hash as {format!r}", f"POST {AT}/hash", {"input": HELLO, "format": format}) for format in ["hex", "base64", "x", ""]],
        *[step(f"hash of {text!r}", f"POST {AT}/hash", {"input": text}) for text in ["", "?", 5]],
        step("hash of nothing", f"POST {AT}/hash", {}),
        *[step(f"random {path}", f"POST {AT}/random{path}", {}) for path in ["", "/16", "/seal", "/all", "/platform", "/foo", "/platform/8", "/seal/8", "/foo/8", "/platform/x", "/0", "/131072", "/131073"]],
        *[step(f"random of {bytes!r}", f"POST {AT}/random", {"bytes": bytes}) for bytes in [1, 0, -1, 131072, 131073, "4", "x"]],
        *[step(f"random as {format!r}", f"POST {AT}/random", {"format": format}) for format in ["hex", "base64", "x", ""]],
        step("random with more", f"POST {AT}/random", {"source": "foo", "urlbytes": "8"}),
    ]


def settings(step):
    return [
        step("cache", f"GET {AT}/cache-config"),
        *[step(f"cache of {size!r}", f"POST {AT}/cache-config", {"size": size}) for size in [100, 0, 5, -1, "10", "x"]],
        step("cache of nothing", f"POST {AT}/cache-config", {}),
        step("cache again", f"GET {AT}/cache-config"),
        step("delete the cache", f"DELETE {AT}/cache-config"),
        step("all keys", f"GET {AT}/config/keys"),
        *[step(f"upsert {value!r}", f"POST {AT}/config/keys", {"disable_upsert": value}) for value in [True, "false", "x"]],
        step("nothing about all keys", f"POST {AT}/config/keys", {}),
    ]


def rights(step):
    def policy(name, path, capabilities):
        text = f'path "{AT}/{path}" {{ capabilities = {capabilities} }}'.replace("'", '"')
        return [
            step(f"policy {name}", f"POST sys/policies/acl/{name}", {"policy": text}),
            step(f"token {name}", "POST auth/token/create", {"policies": [name], "no_default_policy": True}, save={name: "auth.client_token"}),
        ]
    return [
        *policy("encrypter", "encrypt/*", ["update"]),
        step("may encrypt", f"POST {AT}/encrypt/a", {"plaintext": HELLO}, token="$encrypter"),
        step("may not make", f"POST {AT}/encrypt/up-right", {"plaintext": HELLO}, token="$encrypter"),
        step("may not decrypt", f"POST {AT}/decrypt/a", {"ciphertext": "$a"}, token="$encrypter"),
        step("may not read", f"GET {AT}/keys/a", token="$encrypter"),
        *policy("maker", "encrypt/*", ["create"]),
        step("may make", f"POST {AT}/encrypt/up-right", {"plaintext": HELLO}, token="$maker"),
        step("may not encrypt", f"POST {AT}/encrypt/up-right", {"plaintext": HELLO}, token="$maker"),
        step("nobody", f"POST {AT}/encrypt/a", {"plaintext": HELLO}, token=""),
        step("powerless", f"POST {AT}/encrypt/a", {"plaintext": HELLO}, token="$powerless"),
        *[step(f"clean {name}", f"DELETE sys/policies/acl/{name}") for name in ["encrypter", "maker"]],
    ]
