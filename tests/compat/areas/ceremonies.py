"""Rekeying, rotation of the root key, and the making of root tokens: verification, cancelling, backups, wrong shares, strangers."""
from areas.every_operation import strangers

NONE = ""
# Where an attempt lives, who may ask, and where its answer is.
REKEY = {"at": "sys/rekey", "token": NONE, "data": ""}
ROTATE = {"at": "sys/rotate/root", "token": "$root", "data": "data."}
RECOVERY = {"at": "sys/rotate/recovery", "token": "$root", "data": "data."}


def steps(step):
    return [
        step("init", "PUT sys/init", {"secret_shares": 3, "secret_threshold": 2}, token=NONE, save={"k1": "keys.0", "k2": "keys.1", "k3": "keys.2", "root": "root_token"}),
        step("unseal 1", "PUT sys/unseal", {"key": "$k1"}, token=NONE),
        step("unseal 2", "PUT sys/unseal", {"key": "$k2"}, token=NONE),
        step("active", "GET sys/health", token=NONE, repeat_until=lambda status, _: status == 200),
        *ceremony(step, "rekey", **REKEY),
        *ceremony(step, "rotate", **ROTATE),
        step("rekey of recovery keys", "GET sys/rekey/recovery-key-backup"),
        step("rekey of recovery keys deleted", "DELETE sys/rekey/recovery-key-backup"),
        *[step(f"recovery {method} {path}", f"{method} sys/rotate/recovery/{path}", {"secret_shares": 1, "secret_threshold": 1} if path == "init" and method == "POST" else {"key": "$k1", "nonce": "x"} if method == "POST" else None)
          for method, path in (("GET", "init"), ("POST", "init"), ("DELETE", "init"), ("POST", "update"), ("GET", "verify"), ("POST", "verify"), ("DELETE", "verify"), ("GET", "backup"), ("DELETE", "backup"))],
        step("rotate root with a body", "POST sys/rotate/root", {}),
        step("rotate root without token", "POST sys/rotate/root", token=NONE),
        *root_token(step, "generate-root", NONE, "", "encoded_root_token"),
        *root_token(step, "generate-root-token", "$root", "data.", "data.encoded_token"),
        step("generate-root at the bare path", "GET sys/generate-root", token=NONE),
        step("generate-root at the bare path write", "POST sys/generate-root", {}, token=NONE),
        step("generate-root at the bare path delete", "DELETE sys/generate-root", token=NONE),
        step("decode nothing", "POST sys/decode-token", {}, token=NONE),
        step("decode nonsense", "POST sys/decode-token", {"encoded_token": "%%", "otp": "x"}, token=NONE),
        step("decode lengths", "POST sys/decode-token", {"encoded_token": "aGVsbG8", "otp": "x"}, token=NONE),
        step("decode", "POST sys/decode-token", {"encoded_token": "MA8mHwF8GFYAZz4VYyo", "otp": "C5qXrS9xWnRfBz"}, token=NONE),
        step("seal with a bogus token", "PUT sys/seal", token="bogus"),
        step("nobody's token", "POST auth/token/create", {"policies": ["may-do-nothing"], "no_default_policy": True, "ttl": "1h"}, save={"powerless": "auth.client_token"}),
        *strangers(step, "sys/rekey/", "sys/generate-root/"),
        step("step down", "PUT sys/step-down"),
    ]


def ceremony(step, name, at, token, data):
    """A new set of shares, three times: cancelled, without verification, and with it."""
    def ask(what, line, body=None, who=token, save=None):
        return step(f"{name}: {what}", line.replace("AT", at), body, token=who, save=save)

    two = {"secret_shares": 3, "secret_threshold": 2}
    return [
        ask("status", "GET AT/init"),
        ask("without token", "GET AT/init", who=NONE),
        ask("update before", "PUT AT/update", {"key": "$k1", "nonce": "x"}),
        ask("verify status before", "GET AT/verify"),
        ask("verify before", "PUT AT/verify", {"key": "$k1", "nonce": "x"}),
        ask("verify cancel before", "DELETE AT/verify"),
        ask("cancel before", "DELETE AT/init"),
        ask("start with nothing", "PUT AT/init", {}),
        ask("start with too high a threshold", "PUT AT/init", {"secret_shares": 1, "secret_threshold": 2}),
        ask("start with threshold one", "PUT AT/init", {"secret_shares": 3, "secret_threshold": 1}),
        ask("start with wrong types", "PUT AT/init", {"secret_shares": "many", "secret_threshold": 1}),
        ask("start with backup alone", "PUT AT/init", {**two, "backup": True}),
        ask("cancel what that started", "DELETE AT/init"),
        ask("start with bad PGP keys", "PUT AT/init", {**two, "pgp_keys": ["zz", "zz", "zz"]}),
        ask("start with too few PGP keys", "PUT AT/init", {**two, "pgp_keys": ["zz"]}),
        ask("start", "PUT AT/init", two, save={"nonce": f"{data}nonce"}),
        ask("status started", "GET AT/init"),
        ask("update without key", "PUT AT/update", {"nonce": "$nonce"}),
        ask("update without nonce", "PUT AT/update", {"key": "$k1"}),
        ask("update with another nonce", "PUT AT/update", {"key": "$k1", "nonce": "00000000-0000-0000-0000-000000000000"}),
        ask("update with nonsense", "PUT AT/update", {"key": "nonsense!", "nonce": "$nonce"}),
        ask("update 1", "PUT AT/update", {"key": "$k1", "nonce": "$nonce"}),
        ask("update 1 again", "PUT AT/update", {"key": "$k1", "nonce": "$nonce"}),
        ask("status half way", "GET AT/init"),
        step(f"{name}: cancel", f"DELETE {at}/init", {"nonce": "$nonce"}, token=token),
        ask("status cancelled", "GET AT/init"),
        ask("start again", "PUT AT/init", two, save={"nonce": f"{data}nonce"}),
        ask("wrong share", "PUT AT/update", {"key": "aa" * 32 + "07", "nonce": "$nonce"}),
        ask("wrong share completes", "PUT AT/update", {"key": "$k1", "nonce": "$nonce"}),
        ask("status after the wrong share", "GET AT/init"),
        ask("right 1", "PUT AT/update", {"key": "$k1", "nonce": "$nonce"}),
        ask("right 2", "PUT AT/update", {"key": "$k2", "nonce": "$nonce"}, save={"k1": f"{data}keys.0", "k2": f"{data}keys.1", "k3": f"{data}keys.2"}),
        ask("status done", "GET AT/init"),
        ask("start verified", "PUT AT/init", {**two, "require_verification": True}, save={"nonce": f"{data}nonce"}),
        ask("verified 1", "PUT AT/update", {"key": "$k1", "nonce": "$nonce"}),
        ask("verified 2", "PUT AT/update", {"key": "$k3", "nonce": "$nonce"}, save={"n1": f"{data}keys.0", "n2": f"{data}keys.1", "n3": f"{data}keys.2", "vnonce": f"{data}verification_nonce"}),
        ask("verify status", "GET AT/verify"),
        ask("verify with another nonce", "PUT AT/verify", {"key": "$n1", "nonce": "x"}),
        ask("verify 1", "PUT AT/verify", {"key": "$n1", "nonce": "$vnonce"}),
        ask("verify status half way", "GET AT/verify"),
        step(f"{name}: verify restart", f"DELETE {at}/verify", {"nonce": "$vnonce"}, token=token, save={"vnonce": f"{data}nonce"}),
        ask("verify 1 again", "PUT AT/verify", {"key": "$n1", "nonce": "$vnonce"}),
        ask("verify 2", "PUT AT/verify", {"key": "$n2", "nonce": "$vnonce"}, save={"k1": "fill:$n1", "k2": "fill:$n2", "k3": "fill:$n3"}),
        ask("verify status done", "GET AT/verify"),
        step(f"{name}: backup", f"GET {at}/backup"),
        step(f"{name}: backup delete", f"DELETE {at}/backup"),
    ]


def root_token(step, name, token, data, where):
    at = f"sys/{name}"

    def ask(what, line, body=None, who=token, save=None):
        return step(f"{name}: {what}", line.replace("AT", at), body, token=who, save=save)

    return [
        ask("status", "GET AT/attempt"),
        ask("without token", "GET AT/attempt", who=NONE),
        ask("update before", "PUT AT/update", {"key": "$k1", "nonce": "x"}),
        ask("cancel before", "DELETE AT/attempt"),
        ask("start with a bad OTP", "PUT AT/attempt", {"otp": "x"}),
        ask("start with a bad PGP key", "PUT AT/attempt", {"pgp_key": "zz"}),
        ask("start", "PUT AT/attempt", {}, save={"nonce": f"{data}nonce", "otp": f"{data}otp"}),
        ask("status started", "GET AT/attempt"),
        ask("update without key", "PUT AT/update", {"nonce": "$nonce"}),
        ask("update with nonsense", "PUT AT/update", {"key": "nonsense!", "nonce": "$nonce"}),
        ask("update 1", "PUT AT/update", {"key": "$k1", "nonce": "$nonce"}),
        ask("status half way", "GET AT/attempt"),
        step(f"{name}: cancel", f"DELETE {at}/attempt", {"nonce": "$nonce"}, token=token),
        ask("start again", "PUT AT/attempt", {}, save={"nonce": f"{data}nonce", "otp": f"{data}otp"}),
        ask("wrong share", "PUT AT/update", {"key": "aa" * 32 + "07", "nonce": "$nonce"}),
        ask("wrong share completes", "PUT AT/update", {"key": "$k1", "nonce": "$nonce"}),
        ask("right 1", "PUT AT/update", {"key": "$k1", "nonce": "$nonce"}),
        ask("right 2", "PUT AT/update", {"key": "$k2", "nonce": "$nonce"}, save={"encoded": where}),
        step(f"{name}: decoded", "POST sys/decode-token", {"encoded_token": "$encoded", "otp": "$otp"}, token=NONE, save={"made": "data.token"}),
        step(f"{name}: the token", "GET auth/token/lookup-self", token="$made"),
    ]
