"""The dashboard's secrets, in a real browser."""
from browser import needs_browser, tell

READER = 'path "secret/data/shop/*" { capabilities = ["read"] }'
# Rules with `+` are in no list of what a token may do.
MAKER = 'path "secret/data/+/config" { capabilities = ["create"] } path "secret/metadata/*" { capabilities = ["list"] }'

# Whoever puts secrets in and may not look at them.
WRITER = 'path "secret/data/team/*" { capabilities = ["create", "update"] }'


@needs_browser
def test_the_life_of_a_secret(server):
    server.ok("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    server.ok("PUT", "sys/policies/acl/reader", {"policy": READER})
    reader = server.ok("POST", "auth/token/create", {"policies": ["reader"]})["auth"]["client_token"]
    tell("secrets", server, reader=reader)


@needs_browser
def test_places_without_versions_and_the_settings_of_a_mount(server):
    server.ok("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    server.ok("PUT", "sys/policies/acl/maker", {"policy": MAKER})
    maker = server.ok("POST", "auth/token/create", {"policies": ["maker"]})["auth"]["client_token"]
    tell("secrets_kinds", server, maker=maker)


@needs_browser
def test_nothing_that_was_written_or_typed_is_lost(server):
    server.ok("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    server.ok("PUT", "sys/policies/acl/writer", {"policy": WRITER})
    writer = server.ok("POST", "auth/token/create", {"policies": ["writer"]})["auth"]["client_token"]
    tell("secrets_kept", server, writer=writer)


@needs_browser
def test_odd_places_and_secrets(server):
    server.ok("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    server.ok("POST", "sys/namespaces/team")
    server.ok("PUT", "sys/policies/acl/reader", {"policy": READER})
    reader = server.ok("POST", "auth/token/create", {"policies": ["reader"]})["auth"]["client_token"]
    tell("secrets_places", server, reader=reader)
