"""Signing in at the dashboard by every method that a page can do, against a real directory, with real signed tokens."""
import os
import time

import jwt as pyjwt
from cryptography.hazmat.primitives.asymmetric import rsa

from browser import needs_browser, tell
from ldap_directory import GROUPS, PEOPLE, SUFFIX, Directory
from test_auth_jwt import claims, pem

PASSWORD = "a-password-of-hers-1"
HTML = "<img src=x onerror=document.title='caught'>"
LISTED = {"listing_visibility": "unauth"}


@needs_browser
def test_every_method_and_what_refusals_say(server, folder):
    where = os.path.join(folder, "ldap")
    os.mkdir(where)
    directory = Directory(where)
    try:
        directory.start().fill()
        tell("sign_in_methods", server, password=PASSWORD, **methods(server, directory))
    finally:
        directory.stop()


def methods(server, directory):
    """Two that are listed for everybody, one listed kind that a page can not do, and three that nobody lists."""
    server.ok("POST", "sys/auth/corp", {"type": "ldap", "description": "the directory", "config": LISTED})
    service = {"binddn": f"cn=service,{SUFFIX}", "bindpass": "service-word"}
    server.ok("POST", "auth/corp/config", {"url": directory.url, "userdn": PEOPLE, "userattr": "uid", "groupdn": GROUPS, **service})
    server.ok("POST", "sys/auth/away", {"type": "ldap"})
    server.ok("POST", "auth/away/config", {"url": "ldap://127.0.0.1:1", "userdn": PEOPLE, "userattr": "uid"})
    server.ok("POST", "sys/auth/people/staff", {"type": "userpass", "description": HTML, "config": LISTED})
    server.ok("POST", "auth/people/staff/users/ann", {"password": PASSWORD})
    server.ok("POST", "sys/auth/cert", {"type": "cert", "config": LISTED})
    team = {"X-Vault-Namespace": "team/größe".encode().decode("latin-1")}
    server.ok("POST", "sys/namespaces/team", {})
    server.ok("POST", "sys/namespaces/gr%C3%B6%C3%9Fe", {}, headers={"X-Vault-Namespace": "team"})
    server.ok("POST", "sys/auth/theirs", {"type": "userpass", "config": LISTED}, headers=team)
    server.ok("POST", "auth/theirs/users/bea", {"password": PASSWORD}, headers=team)
    return {**approle(server), **signed(server)}


def approle(server):
    server.ok("POST", "sys/auth/machines/eu", {"type": "approle"})
    server.ok("POST", "auth/machines/eu/role/app", {"token_policies": "default"})
    role_id = server.ok("GET", "auth/machines/eu/role/app/role-id")["data"]["role_id"]
    return {"roleId": role_id, "secretId": server.ok("POST", "auth/machines/eu/role/app/secret-id", {})["data"]["secret_id"]}


def signed(server):
    key = rsa.generate_private_key(65537, 2048)
    server.ok("POST", "sys/auth/jwt", {"type": "jwt"})
    server.ok("POST", "auth/jwt/config", {"jwt_validation_pubkeys": [pem(key)], "bound_issuer": "https://ci.example"})
    server.ok("POST", "auth/jwt/role/job", {"role_type": "jwt", "user_claim": "sub", "bound_audiences": "coffer", "token_policies": "default"})
    return {"jwt": pyjwt.encode(claims(), key, algorithm="RS256"), "expired": pyjwt.encode(claims(exp=int(time.time()) - 3600), key, algorithm="RS256")}
