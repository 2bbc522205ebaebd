"""The dashboard's foundation: how it is served, signing in and out, a new server's first minutes, the overview."""
import gzip
import os
import re
import time

from browser import get, needs_browser, tell

PASSWORD = "a-password-of-ann-1"


def test_the_page_is_served_with_its_policy(fresh):
    """Before anybody has initialised the server: that is where people begin."""
    status, headers, body = get(fresh, "/ui/")
    assert status == 200 and headers["content-type"].startswith("text/html") and body
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert headers["x-frame-options"] == "DENY" and headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer" and "set-cookie" not in headers
    for path in ("/", "/ui"):
        status, headers, _ = get(fresh, path)
        assert (status, headers["location"]) == (307, "/ui/")


def test_files_are_kept_compressed_and_asked_for_once(fresh):
    _, headers, page = get(fresh, "/ui/")
    assert headers["cache-control"] == "no-cache"
    assert get(fresh, "/ui/", If_None_Match=headers["etag"])[0] == 304
    for path in set(re.findall(r'(?:src|href)="(/ui/[^"]+)"', page.decode())):
        status, headers, plain = get(fresh, path)
        assert status == 200 and "content-encoding" not in headers and plain
        assert ("immutable" in headers["cache-control"]) == path.startswith("/ui/assets/")
        status, headers, packed = get(fresh, path, Accept_Encoding="gzip")
        if headers.get("content-encoding") == "gzip":
            assert gzip.decompress(packed) == plain and len(packed) < len(plain)
        assert get(fresh, path, Accept_Encoding="gzip", If_None_Match=headers["etag"])[0] == 304
        status, headers, nothing = get(fresh, path, method="HEAD")
        assert (status, nothing, int(headers["content-length"])) == (200, b"", len(plain))


def test_no_path_leads_out_of_the_files(fresh):
    for path in ("/ui/../server.hcl", "/ui/..%2fserver.hcl", "/ui/%2e%2e/%2e%2e/etc/passwd", "/ui/assets/", "/ui//etc/passwd", "/ui/secrets",
                 "/ui/index.html%00", "/ui/index.html.gz", "/ui/\\..\\..\\etc\\passwd"):
        status, headers, body = get(fresh, path)
        assert status == 404 and b"root:" not in body and "default-src 'none'" in headers["content-security-policy"], path
    assert get(fresh, "/ui/", method="POST")[0] == 405
    # The API is not reached through it either.
    assert get(fresh, "/ui/../v1/sys/health")[0] == 404


def test_operators_own_headers_take_the_place_of_ours(server):
    server.ok("POST", "sys/config/ui/headers/X-Frame-Options", {"values": ["SAMEORIGIN"]})
    server.ok("POST", "sys/config/ui/headers/X-Own", {"values": ["one"]})
    _, headers, _ = get(server, "/ui/")
    assert headers["x-frame-options"] == "SAMEORIGIN" and headers["x-own"] == "one"
    assert "x-own" not in get(server, "/v1/sys/health")[1]


def test_it_can_be_turned_off(folder):
    from coffer_server import Server
    server = Server(folder, "ui = false\n").start()
    try:
        assert get(server, "/ui/")[0] == 404 and get(server, "/")[0] == 404
        assert get(server, "/v1/sys/seal-status")[0] == 200
    finally:
        server.kill()


def test_the_servers_own_page_passes_the_rules_for_origins(server):
    server.ok("POST", "sys/config/cors", {"allowed_origins": "https://elsewhere.example"})
    own = server.call("GET", "sys/mounts", headers={"Origin": server.addr})
    assert own.status == 200 and "Access-Control-Allow-Origin" not in own.headers
    for forged in ("https://evil.example", f"{server.addr}.evil.example", "null", "http://127.0.0.1:1"):
        assert server.call("GET", "sys/mounts", headers={"Origin": forged}).status == 403, forged


@needs_browser
def test_signing_in_and_out(server):
    server.ok("POST", "sys/auth/userpass", {"type": "userpass", "config": {"listing_visibility": "unauth"}})
    server.ok("POST", "auth/userpass/users/ann", {"password": PASSWORD})
    tell("basics_sign_in", server, password=PASSWORD)


@needs_browser
def test_a_new_server_is_brought_up_in_the_browser(fresh, folder):
    tell("basics_newcomer", fresh, audit=os.path.join(folder, "audit.log"))


@needs_browser
def test_a_login_with_a_second_factor(server):
    import urllib.parse

    from test_auth import Codes
    server.ok("POST", "sys/auth/userpass", {"type": "userpass", "config": {"listing_visibility": "unauth"}})
    server.ok("POST", "auth/userpass/users/ann", {"password": PASSWORD})
    accessor = server.ok("GET", "sys/auth")["data"]["userpass/"]["accessor"]
    entity = server.ok("POST", "auth/userpass/login/ann", {"password": PASSWORD}, token="")["auth"]["entity_id"]
    method = server.ok("POST", "identity/mfa/method/totp", {"issuer": "coffer", "period": 30})["data"]["method_id"]
    made = server.ok("POST", "identity/mfa/method/totp/admin-generate", {"method_id": method, "entity_id": entity})
    server.ok("POST", "identity/mfa/login-enforcement/people", {"mfa_method_ids": [method], "auth_method_accessors": [accessor]})
    secret = urllib.parse.parse_qs(urllib.parse.urlparse(made["data"]["url"]).query)["secret"][0]
    # The next period's code: it is good now, and still when the story gets to it.
    codes = Codes(secret)
    codes.last = int(time.time()) // 30
    tell("basics_factor", server, password=PASSWORD, code=codes.next())


@needs_browser
def test_signing_in_at_a_provider(server):
    from identity_provider import SECRET, Provider
    provider = Provider()
    try:
        server.ok("POST", "sys/auth/oidc", {"type": "oidc"})
        server.ok("POST", "auth/oidc/config", {"oidc_discovery_url": provider.issuer, "oidc_client_id": "coffer", "oidc_client_secret": SECRET, "default_role": "person"})
        role = {"role_type": "oidc", "user_claim": "email", "token_policies": "default"}
        server.ok("POST", "auth/oidc/role/person", {**role, "allowed_redirect_uris": f"{server.addr}/ui/vault/auth/oidc/oidc/callback"})
        server.ok("POST", "auth/oidc/role/elsewhere", {**role, "allowed_redirect_uris": "https://elsewhere.example/callback"})
        tell("basics_provider", server, issuer=provider.issuer)
    finally:
        provider.stop()


@needs_browser
def test_namespaces(server):
    server.ok("POST", "sys/namespaces/team", {})
    server.ok("POST", "sys/namespaces/gr%C3%B6%C3%9Fe%3Cb%3E", {}, headers={"X-Vault-Namespace": "team"})
    team = {"X-Vault-Namespace": "team"}
    server.ok("POST", "sys/mounts/of-the-team", {"type": "kv"}, headers=team)
    server.ok("POST", "sys/auth/userpass", {"type": "userpass", "config": {"listing_visibility": "unauth"}}, headers=team)
    server.ok("PUT", "sys/policies/acl/ann", {"policy": 'path "of-the-team/*" { capabilities = ["read", "list"] }'}, headers=team)
    server.ok("POST", "auth/userpass/users/ann", {"password": PASSWORD, "token_policies": "ann"}, headers=team)
    tell("basics_namespaces", server, password=PASSWORD)


@needs_browser
def test_a_new_server_that_opens_by_itself(folder):
    from coffer_server import Server
    from test_seals import stanza
    server = Server(folder, stanza(folder, "one")).start()
    try:
        tell("basics_recovery", server)
    finally:
        server.kill()


@needs_browser
def test_the_frame_by_keyboard_and_on_a_phone(server):
    tell("basics_keyboard", server)
