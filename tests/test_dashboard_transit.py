"""The dashboard's transit keys, in a real browser."""
from browser import needs_browser, tell

WRITER = 'path "transit/encrypt/mail" { capabilities = ["update"] }'
TYPES = "aes256-gcm96 aes128-gcm96 chacha20-poly1305 xchacha20-poly1305 ed25519 ecdsa-p256 ecdsa-p384 ecdsa-p521 rsa-2048 rsa-3072 rsa-4096 hmac mldsa-44 mldsa-65 mldsa-87"


@needs_browser
def test_keys_that_stay_in_the_server(server):
    server.ok("PUT", "sys/policies/acl/writer", {"policy": WRITER})
    writer = server.ok("POST", "auth/token/create", {"policies": ["writer"]})["auth"]["client_token"]
    tell("transit", server, writer=writer, types=TYPES.split())
