"""The dashboard's master keys, in a real browser."""
from browser import needs_browser, tell

WRITER = 'path "kms/encrypt/alias:app" { capabilities = ["update"] }'


@needs_browser
def test_the_life_of_a_master_key(server):
    server.ok("PUT", "sys/policies/acl/writer", {"policy": WRITER})
    writer = server.ok("POST", "auth/token/create", {"policies": ["writer"]})["auth"]["client_token"]
    tell("kms", server, writer=writer)
