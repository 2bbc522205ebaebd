"""The dashboard's secrets, in a real browser."""
from browser import needs_browser, tell

READER = 'path "secret/data/shop/*" { capabilities = ["read"] }'


@needs_browser
def test_the_life_of_a_secret(server):
    server.ok("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    server.ok("PUT", "sys/policies/acl/reader", {"policy": READER})
    reader = server.ok("POST", "auth/token/create", {"policies": ["reader"]})["auth"]["client_token"]
    tell("secrets", server, reader=reader)
